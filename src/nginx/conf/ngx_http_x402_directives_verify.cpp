// SPDX-License-Identifier: Apache-2.0
// Whose word counts: x402_verify, and x402_redeliver_key, which tells the
// client of a payment from others that know it.
#include <algorithm>

#include "nginx/conf/ngx_http_x402_client_values.hpp"
#include "nginx/conf/ngx_http_x402_config_checks.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"

namespace x402 {

namespace {

char *set_verify(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char *result = ngx_http_x402_set_word(cf, cmd, conf);
    auto *lcf = location_conf(conf);
    if (result != NGX_CONF_OK || lcf->verify == NGX_HTTP_X402_VERIFY_REMOTE) {
        return result;
    }
    lcf->verify_used = record_setting(
        cf,
        "x402_verify has no effect: the payments that it is written for are "
        "settled before the content, or are verified by the facilitator in "
        "any case because of rules about payers, or, with local and "
        "trusted, because they are not on an EVM network; remove it");
    return lcf->verify_used ? NGX_CONF_OK : static_cast<char *>(NGX_CONF_ERROR);
}

// What each request for the same resource has in common.
bool is_of_resource(std::string_view name)
{
    constexpr std::string_view kNames[] = {
        "host",           "server_name",     "server_port",   "server_addr",
        "scheme",         "request_uri",     "uri",           "document_uri",
        "request_method", "hostname",        "nginx_version", "https",
        "document_root",  "server_protocol", "request",       "args",
        "query_string",   "x402_offer",
    };
    return std::find(std::begin(kNames), std::end(kNames), name)
           != std::end(kNames);
}

// Empty when a payment is about to be read. The offer has been made by then,
// and the body was read; location_check sees to that.
bool is_late_for_key(std::string_view name)
{
    return is_known_late(name) && name != "x402_offer"
           && name.substr(0, 10) != "x402_body_";
}

// Money: signatures are public once they are settled.
char *set_redeliver_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char *result = ngx_http_set_complex_value_slot(cf, cmd, conf);
    std::string_view value = view(arguments(cf)[1]);
    auto names = variables_in(value);
    auto late = std::find_if(names.begin(), names.end(), is_late_for_key);
    if (late != names.end()) {
        return conf_error(cf, "x402_redeliver_key is evaluated before the "
                              "payment is read, when $"
                                  + std::string(*late)
                                  + " is empty; write a value that only its "
                                    "client has, such as $remote_addr or "
                                    "$http_authorization");
    }
    if (result != NGX_CONF_OK || value.empty()
        || !std::all_of(names.begin(), names.end(), is_of_resource)) {
        return result;
    }
    return conf_error(
        cf, "x402_redeliver_key \"" + std::string(value)
                + "\" is the same for every client: anyone that sees a payment "
                  "on the chain could have its content; write what only its "
                  "client has, such as $remote_addr or $http_authorization");
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_verify(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return guarded(cf->log, static_cast<char *>(NGX_CONF_ERROR),
                   [&] { return set_verify(cf, cmd, conf); });
}

char *ngx_http_x402_set_redeliver_key(ngx_conf_t *cf, ngx_command_t *cmd,
                                      void *conf)
{
    return guarded(cf->log, static_cast<char *>(NGX_CONF_ERROR),
                   [&] { return set_redeliver_key(cf, cmd, conf); });
}
