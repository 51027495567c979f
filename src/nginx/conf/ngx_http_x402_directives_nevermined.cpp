// SPDX-License-Identifier: Apache-2.0
// x402_nevermined and x402_token_header.
#include <algorithm>
#include <cctype>

#include "nginx/conf/ngx_http_x402_config_file.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/offer/ngx_http_x402_nevermined.hpp"

namespace x402 {

namespace {

struct Environment {
    std::string_view name;
    std::string_view prefix;  // of its keys
    std::string_view backend;
    bool live;
};

constexpr Environment kEnvironments[] = {
    {"sandbox", "sandbox:", "https://api.sandbox.nevermined.app", false},
    {"live", "live:", "https://api.live.nevermined.app", true},
    {"staging_sandbox",
     "sandbox-staging:", "https://api.sandbox.nevermined.dev", false},
    {"staging_live", "live-staging:", "https://api.live.nevermined.dev", true},
};

const Environment *environment_named(std::string_view name)
{
    for (const Environment &each : kEnvironments) {
        if (each.name == name) {
            return &each;
        }
    }
    return nullptr;
}

const Environment *environment_of_key(std::string_view key)
{
    for (const Environment &each : kEnvironments) {
        if (key.substr(0, each.prefix.size()) == each.prefix) {
            return &each;
        }
    }
    return nullptr;
}

bool is_url(std::string_view text)
{
    return text.find("://") != std::string_view::npos;
}

// A key belongs to one environment and is used in that one. A URL that the
// operator wrote is used as it is.
void choose_environment(ngx_conf_t *cf, std::string_view written,
                        NeverminedConf &made)
{
    const Environment *of_key =
        environment_of_key(made.auth->key.token->view());
    const Environment *chosen = environment_named(written);
    if (chosen && of_key && of_key != chosen) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "the key in \"%s\" is one of %s, which is used "
                           "instead of what is written",
                           made.auth->path.c_str(),
                           std::string(of_key->name).c_str());
        chosen = of_key;
    }
    if (chosen) {
        made.backend = chosen->backend;
        made.live = chosen->live;
        return;
    }
    made.live = of_key && of_key->live;
}

char *set_nevermined(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    constexpr std::string_view kKeyFile = "key_file=";
    if (lcf->nevermined != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    std::string_view written = view(arguments(cf)[1]);
    ngx_str_t file = arguments(cf)[2];
    if (view(file).substr(0, kKeyFile.size()) != kKeyFile) {
        return conf_error(cf, "write key_file=path after the environment");
    }
    file.data += kKeyFile.size();
    file.len -= kKeyFile.size();

    auto *made = pool_new<NeverminedConf>(cf->pool);
    if (made == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    if (is_url(written)) {
        auto url = parse_facilitator_url(written);
        if (!url) {
            return conf_error(cf, url.problem().text);
        }
        made->backend = url->base();
    } else if (environment_named(written) == nullptr) {
        return conf_error(cf, "unknown environment \"" + std::string(written)
                                  + "\"; write sandbox, live, staging_sandbox, "
                                    "staging_live or a URL");
    }
    made->auth = read_key_file(cf, AuthKind::bearer, file);
    if (made->auth == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    choose_environment(cf, written, *made);
    lcf->nevermined = made;
    record_first_origin(cf, *lcf);
    return NGX_CONF_OK;
}

bool is_header_name(std::string_view name)
{
    for (char byte : name) {
        bool letter = std::isalnum(static_cast<unsigned char>(byte)) != 0;
        if (!letter && byte != '-') {
            return false;
        }
    }
    return !name.empty();
}

char *set_token_header(ngx_conf_t *cf, void *conf)
{
    auto *lcf = location_conf(conf);
    if (lcf->token_headers != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    auto *names = pool_new<std::vector<std::string>>(cf->pool);
    if (names == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        std::string name = copy(arguments(cf)[i]);
        if (!is_header_name(name)) {
            return conf_error(cf, "\"" + name
                                      + "\" is not the name of a header; write "
                                        "letters, digits and hyphens");
        }
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return std::tolower(c); });
        names->push_back(std::move(name));
    }
    lcf->token_headers = names;
    return NGX_CONF_OK;
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_nevermined(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_nevermined, conf);
}

char *ngx_http_x402_set_token_header(ngx_conf_t *cf, ngx_command_t *,
                                     void *conf)
{
    return config_guarded(cf, set_token_header, conf);
}
