// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "nginx/conf/ngx_http_x402_client_values.hpp"
#include "nginx/conf/ngx_http_x402_config_checks.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_payer_rules.hpp"

namespace x402 {

namespace {

bool names_user(const ngx_http_complex_value_t &value)
{
    auto names = variables_in(view(value.value));
    return std::find(names.begin(), names.end(), "remote_user") != names.end();
}

bool is_bypassed_by_user(const LocationConf &conf)
{
    if (conf.bypass == nullptr) {
        return false;
    }
    auto *values = static_cast<ngx_http_complex_value_t *>(conf.bypass->elts);
    return std::any_of(values, values + conf.bypass->nelts, names_user);
}

bool is_free_by_user(const LocationConf &conf)
{
    return conf.payer_rules && conf.payer_rules->free
           && names_user(*conf.payer_rules->free->key);
}

// nginx: the user in an Authorization header; the password is not looked at.
void warn_of_unchecked_user(ngx_conf_t *cf, const LocationConf &conf,
                            const char *directive)
{
    log_conf(cf, NGX_LOG_WARN,
             "any client can write $remote_user and be served free: nothing "
             "checks it here; write auth_basic, or take $remote_user out of "
                 + std::string(directive),
             conf.origin);
}

}  // namespace

// Of a server with "location /" no request is served at the server's level.
bool ErrorPageCheck::is_reached(const Location &place) const
{
    const Server &known = servers_.at(place.server);
    bool is_level = known.level != kNone && &locations_[known.level] == &place;
    return !(is_level && known.prefixes.count("/") != 0)
           && place.rewrites.always_returns == 0;
}

void ErrorPageCheck::warn_of_admission(ngx_conf_t *cf) const
{
    // Of settings that several locations inherit, one warns.
    std::set<std::pair<const void *, const void *>> seen;
    for (const Location &place : locations_) {
        const LocationConf &conf = *place.conf;
        if (!conf.has_price() || !is_reached(place)) {
            continue;
        }
        if (!place.checks && is_bypassed_by_user(conf)
            && seen.emplace(place.server, conf.bypass).second) {
            warn_of_unchecked_user(cf, conf, "x402_bypass");
        }
        if (!place.checks && is_free_by_user(conf)
            && seen.emplace(place.server, conf.payer_rules).second) {
            warn_of_unchecked_user(cf, conf, "x402_free");
        }
        if (place.admits_all && !place.core->noname) {
            log_conf(cf, NGX_LOG_WARN,
                     "no client pays here: \"satisfy any\" serves what most "
                     "addresses are allowed to have; write \"satisfy all\", "
                     "or allow only those that need not pay and \"deny all\"",
                     conf.origin);
        }
        if (place.sets_method && conf.methods != nullptr
            && !place.core->noname) {
            log_conf(cf, NGX_LOG_WARN,
                     "proxy_method makes what is sold of requests that are "
                     "free: methods that x402_methods does not list; take one "
                     "of the two away",
                     conf.origin);
        }
    }
}

}  // namespace x402
