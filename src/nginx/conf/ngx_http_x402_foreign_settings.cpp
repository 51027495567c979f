// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_foreign_settings.hpp"

#include <algorithm>

namespace x402 {

namespace {

const ngx_module_t *module_named(ngx_conf_t *cf, std::string_view name)
{
    for (ngx_uint_t i = 0; cf->cycle->modules[i]; i++) {
        const ngx_module_t *module = cf->cycle->modules[i];
        if (module->type == NGX_HTTP_MODULE
            && std::string_view(module->name) == name) {
            return module;
        }
    }
    return nullptr;
}

using Setter = char *(*)(ngx_conf_t *, ngx_command_t *, void *);

// nginx: the configurations of other modules are private to them. Where the
// value of a directive is kept is in the table of its module. nullptr: the
// module or the directive is not there, or has become another one.
template <class Value>
const Value *value_of(ngx_conf_t *cf, void **confs,
                      std::string_view module_name, std::string_view directive,
                      Setter setter)
{
    const ngx_module_t *module = module_named(cf, module_name);
    if (module == nullptr || confs[module->ctx_index] == nullptr) {
        return nullptr;
    }
    for (const ngx_command_t *command = module->commands; command->name.len;
         command++) {
        if (view(command->name) == directive && command->set == setter) {
            return reinterpret_cast<const Value *>(
                static_cast<const char *>(confs[module->ctx_index])
                + command->offset);
        }
    }
    return nullptr;
}

bool is_set(const void *pointer)
{
    return pointer != nullptr && pointer != NGX_CONF_UNSET_PTR;
}

bool is_own_method(const ngx_str_t &value)
{
    return view(value) == "$request_method"
           || view(value) == "${request_method}";
}

// nginx: the last one counts with PHP, and the file of defaults is included
// before it.
bool sets_param(ngx_conf_t *cf, void **loc_conf, std::string_view module,
                std::string_view directive)
{
    using Params = const ngx_array_t *;
    const Params *params = value_of<Params>(cf, loc_conf, module, directive,
                                            ngx_http_upstream_param_set_slot);
    if (params == nullptr || !is_set(*params)
        || (*params)->size != sizeof(ngx_http_upstream_param_t)) {
        return false;
    }
    const auto *param =
        static_cast<const ngx_http_upstream_param_t *>((*params)->elts);
    bool sets = false;
    for (ngx_uint_t i = 0; i < (*params)->nelts; i++) {
        if (view(param[i].key) == "REQUEST_METHOD") {
            sets = !is_own_method(param[i].value);
        }
    }
    return sets;
}

// nginx: each of these begins with what all upstreams have.
const ngx_http_upstream_conf_t *storing_upstream(ngx_conf_t *cf,
                                                 void **loc_conf)
{
    for (std::string_view name :
         {"ngx_http_proxy_module", "ngx_http_fastcgi_module",
          "ngx_http_uwsgi_module", "ngx_http_scgi_module"}) {
        const ngx_module_t *module = module_named(cf, name);
        if (module == nullptr) {
            continue;
        }
        const auto *upstream = static_cast<const ngx_http_upstream_conf_t *>(
            loc_conf[module->ctx_index]);
        if (upstream->store > 0) {
            return upstream;
        }
    }
    return nullptr;
}

// The text in front of the first variable.
std::string front_of(const ngx_array_t *script)
{
    using Copy = ngx_http_script_copy_code_t;
    if (!is_set(script) || script->size != 1 || script->nelts < sizeof(Copy)) {
        return {};
    }
    const auto *code = static_cast<const Copy *>(script->elts);
    if (code->code != ngx_http_script_copy_code
        || script->nelts - sizeof(Copy) < code->len) {
        return {};
    }
    return std::string(static_cast<const char *>(script->elts) + sizeof(Copy),
                       code->len);
}

}  // namespace

std::string_view method_setter(ngx_conf_t *cf, void **loc_conf)
{
    using Method = const ngx_http_complex_value_t *;
    const Method *method =
        value_of<Method>(cf, loc_conf, "ngx_http_proxy_module", "proxy_method",
                         ngx_http_set_complex_value_slot);
    if (method && is_set(*method) && !is_own_method((*method)->value)) {
        return "proxy_method";
    }
    struct Param {
        std::string_view module;
        std::string_view directive;
    };
    constexpr Param kParams[] = {
        {"ngx_http_fastcgi_module", "fastcgi_param"},
        {"ngx_http_uwsgi_module", "uwsgi_param"},
        {"ngx_http_scgi_module", "scgi_param"},
    };
    for (const Param &param : kParams) {
        if (sets_param(cf, loc_conf, param.module, param.directive)) {
            return param.directive;
        }
    }
    return {};
}

std::string stored_file(ngx_conf_t *cf, void **loc_conf)
{
    const auto *core = static_cast<const ngx_http_core_loc_conf_t *>(
        loc_conf[ngx_http_core_module.ctx_index]);
    const ngx_http_upstream_conf_t *upstream = storing_upstream(cf, loc_conf);
    if (upstream == nullptr) {
        return {};
    }
    if (upstream->store_lengths != nullptr) {
        std::string folder = front_of(upstream->store_values);
        return folder.empty() ? folder : folder + copy(core->name);
    }
    if (core->root_lengths != nullptr) {
        return {};
    }
    std::string folder = copy(core->root);
    return core->alias ? folder : folder + copy(core->name);
}

bool accepts_any_certificate(ngx_conf_t *cf, void **srv_conf)
{
    constexpr ngx_uint_t kOptionalNoCa = 3;
    const auto *verify =
        value_of<ngx_uint_t>(cf, srv_conf, "ngx_http_ssl_module",
                             "ssl_verify_client", ngx_conf_set_enum_slot);
    return verify && *verify == kOptionalNoCa;
}

bool takes_any_host(ngx_conf_t *cf, const ngx_http_core_srv_conf_t &server)
{
    auto *names =
        static_cast<const ngx_http_server_name_t *>(server.server_names.elts);
    for (ngx_uint_t i = 0; i < server.server_names.nelts; i++) {
        std::string_view name = view(names[i].name);
        bool pattern = name.find('*') != std::string_view::npos
                       || name.substr(0, 1) == ".";
#if (NGX_PCRE)
        pattern = pattern || names[i].regex != nullptr;
#endif
        if (pattern) {
            return true;
        }
    }
    auto *cmcf = static_cast<const ngx_http_core_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    const ngx_array_t *ports = cmcf->ports;
    auto *port = static_cast<const ngx_http_conf_port_t *>(ports->elts);
    for (ngx_uint_t i = 0; i < ports->nelts; i++) {
        auto *address =
            static_cast<const ngx_http_conf_addr_t *>(port[i].addrs.elts);
        for (ngx_uint_t k = 0; k < port[i].addrs.nelts; k++) {
            if (address[k].default_server == &server) {
                return true;
            }
        }
    }
    return false;
}

bool is_of_certificate(std::string_view name)
{
    constexpr std::string_view kNames[] = {
        "ssl_client_s_dn",         "ssl_client_i_dn",
        "ssl_client_s_dn_legacy",  "ssl_client_i_dn_legacy",
        "ssl_client_serial",       "ssl_client_fingerprint",
        "ssl_client_cert",         "ssl_client_raw_cert",
        "ssl_client_escaped_cert", "ssl_client_v_start",
        "ssl_client_v_end",        "ssl_client_v_remain",
    };
    return std::find(std::begin(kNames), std::end(kNames), name)
           != std::end(kNames);
}

}  // namespace x402
