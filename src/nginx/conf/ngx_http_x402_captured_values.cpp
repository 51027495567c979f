// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_captured_values.hpp"

#include "base/header_syntax.hpp"
#include "nginx/conf/ngx_http_x402_client_values.hpp"

namespace x402 {

namespace {

#if (NGX_PCRE)

// Whether the group of that name is words and "|".
bool lists_words(std::string_view pattern, std::string_view name)
{
    std::size_t at = 0;
    while (at < pattern.size()
           && !(pattern[at] == '<'
                && same_word(pattern.substr(at + 1, name.size()), name)
                && pattern.substr(at + 1 + name.size(), 1) == ">")) {
        at++;
    }
    if (at == pattern.size()) {
        return false;
    }
    std::string_view group = pattern.substr(at + name.size() + 2);
    group = group.substr(0, group.find(')'));
    return group.find_first_not_of("abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-|")
           == std::string_view::npos;
}

bool captures(ngx_conf_t *cf, const ngx_http_regex_t *regex,
              std::string_view name)
{
    auto *cmcf = static_cast<const ngx_http_core_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    auto *variables =
        static_cast<const ngx_http_variable_t *>(cmcf->variables.elts);
    for (ngx_uint_t i = 0; regex && i < regex->nvariables; i++) {
        auto index = static_cast<ngx_uint_t>(regex->variables[i].index);
        if (index < cmcf->variables.nelts
            && view(variables[index].name) == name) {
            return !lists_words(view(regex->name), name);
        }
    }
    return false;
}

bool is_captured(ngx_conf_t *cf, std::string_view name,
                 const ngx_http_core_loc_conf_t &location,
                 const ngx_http_core_srv_conf_t &server)
{
    if (captures(cf, location.regex, name)) {
        return true;
    }
    auto *names =
        static_cast<const ngx_http_server_name_t *>(server.server_names.elts);
    for (ngx_uint_t i = 0; i < server.server_names.nelts; i++) {
        if (captures(cf, names[i].regex, name)) {
            return true;
        }
    }
    return false;
}

#else

bool is_captured(ngx_conf_t *, std::string_view,
                 const ngx_http_core_loc_conf_t &,
                 const ngx_http_core_srv_conf_t &)
{
    return false;
}

#endif

}  // namespace

std::string captured_variable(ngx_conf_t *cf, std::string_view value,
                              const ngx_http_core_loc_conf_t &location,
                              const ngx_http_core_srv_conf_t &server)
{
    for (const std::string &name : variables_in(value)) {
        if (is_captured(cf, name, location, server)) {
            return name;
        }
    }
    return {};
}

}  // namespace x402
