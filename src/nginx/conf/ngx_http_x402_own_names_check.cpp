// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_config_checks.hpp"

#include "nginx/core/ngx_http_x402_complex_value.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_signing.hpp"

namespace x402 {

namespace {

// A regular expression, or a name that ends in a wildcard: a client chooses
// too much of what these match.
bool is_pattern(const ngx_http_server_name_t &entry, const std::string &name)
{
#if (NGX_PCRE)
    if (entry.regex) {
        return true;
    }
#endif
    (void)entry;
    return name.find('*') != std::string::npos;
}

}  // namespace

// nginx: the names of a server are gone when the configuration was read.
bool record_own_names(ngx_conf_t *cf, LocationConf &conf)
{
    if (conf.server_names) {
        return true;
    }
    auto *names = pool_new<std::vector<std::string>>(cf->pool);
    if (names == nullptr) {
        return false;
    }
    auto *cscf = static_cast<ngx_http_core_srv_conf_t *>(
        ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module));
    auto *list = static_cast<ngx_http_server_name_t *>(cscf->server_names.elts);
    for (ngx_uint_t i = 0; i < cscf->server_names.nelts; i++) {
        std::string name = copy(list[i].name);
        if (name.substr(0, 2) == "*.") {
            name.erase(0, 1);
        } else if (!name.empty() && name.front() == '.') {
            names->push_back(name.substr(1));
        }
        if (!name.empty() && name != "_" && !is_pattern(list[i], name)) {
            names->push_back(std::move(name));
        }
    }
    conf.server_names = names;
    return true;
}

bool check_signed_names(ngx_conf_t *cf, LocationConf &conf)
{
    if (signer_of(conf) == nullptr) {
        return true;
    }
    if (!record_own_names(cf, conf)) {
        return false;
    }
    if (!conf.server_names->empty() || has_written_origin(conf.resource)) {
        return true;
    }
    log_conf(cf, NGX_LOG_EMERG,
             "x402_sign_offers has to know the name by which clients know this "
             "server, and it has none: write server_name, or x402_resource "
             "with scheme and host, such as https://example.com$request_uri",
             conf.signing->origin);
    return false;
}

}  // namespace x402
