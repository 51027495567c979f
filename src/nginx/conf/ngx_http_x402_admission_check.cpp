// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <set>

#include "nginx/conf/ngx_http_x402_captured_values.hpp"
#include "nginx/conf/ngx_http_x402_client_values.hpp"
#include "nginx/conf/ngx_http_x402_config_checks.hpp"
#include "nginx/conf/ngx_http_x402_foreign_settings.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"

namespace x402 {

namespace {

// A variable in a value by which a client is let in; empty: none.
using Finder = std::function<std::string(std::string_view value)>;

Finder finder_of(bool (*meant)(std::string_view name))
{
    return [meant](std::string_view value) {
        for (const std::string &name : variables_in(value)) {
            if (meant(name)) {
                return name;
            }
        }
        return std::string();
    };
}

bool is_user(std::string_view name)
{
    return name == "remote_user";
}

bool is_host(std::string_view name)
{
    return name == "host";
}

std::string name_in_bypass(const LocationConf &conf, const Finder &find)
{
    if (conf.bypass == nullptr) {
        return {};
    }
    auto *values = static_cast<ngx_http_complex_value_t *>(conf.bypass->elts);
    for (ngx_uint_t i = 0; i < conf.bypass->nelts; i++) {
        std::string name = find(view(values[i].value));
        if (!name.empty()) {
            return name;
        }
    }
    return {};
}

std::string name_in_free(const LocationConf &conf, const Finder &find)
{
    return conf.payer_rules && conf.payer_rules->free
               ? find(view(conf.payer_rules->free->key->value))
               : std::string();
}

// Beside an address or another value it makes more keys, but not for all.
bool stands_alone(const LocationConf &conf)
{
    return variables_in(view(conf.payer_rules->free->key->value)).size() == 1;
}

void warn_of_free(ngx_conf_t *cf, const LocationConf &conf,
                  std::string_view name, const char *directive,
                  const std::string &why)
{
    log_conf(cf, NGX_LOG_WARN,
             "any client can write $" + std::string(name)
                 + " and be served free: " + why + ", or take it out of "
                 + directive,
             conf.origin);
}

// nginx: $remote_user is the user in an Authorization header; the password is
// not looked at. With optional_no_ca a client signs its certificate itself.
constexpr char kUnchecked[] = "nothing checks it here; write auth_basic";
constexpr char kAnyCertificate[] =
    "ssl_verify_client optional_no_ca takes any certificate; write "
    "\"ssl_verify_client optional\" with the certificates that sign those of "
    "your clients";
constexpr char kCaptured[] =
    "it is a part of the path or the host that a regular expression has "
    "captured; look it up in a map";

constexpr char kAnyHost[] =
    "with each Host header that it makes up, because this server takes any; "
    "write $server_name";

void warn_of_admitted(ngx_conf_t *cf, const LocationConf &conf,
                      Admitted admitted)
{
    std::string who = admitted == Admitted::ipv6
                          ? "no client with an IPv6 address"
                          : "no client";
    log_conf(cf, NGX_LOG_WARN,
             who
                 + " pays here: \"satisfy any\" serves what most addresses are "
                   "allowed to have; write \"satisfy all\", or allow only "
                   "those that "
                   "need not pay and \"deny all\"",
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
        bool captured = false;
        auto check = [&](const Finder &find, const char *why) {
            std::string name = name_in_bypass(conf, find);
            if (!name.empty()
                && seen.emplace(place.server, conf.bypass).second) {
                warn_of_free(cf, conf, name, "x402_bypass", why);
            }
            name = name_in_free(conf, find);
            if (!name.empty() && (!captured || stands_alone(conf))
                && seen.emplace(place.server, conf.payer_rules).second) {
                warn_of_free(cf, conf, name, "x402_free", why);
            }
        };
        if (!place.checks) {
            check(finder_of(is_user), kUnchecked);
        }
        if (place.takes_any_certificate) {
            check(finder_of(is_of_certificate), kAnyCertificate);
        }
        if (!name_in_free(conf, finder_of(is_host)).empty()
            && takes_any_host(cf, *place.server)
            && seen.emplace(place.server, conf.payer_rules).second) {
            warn_of_free(cf, conf, "host", "x402_free", kAnyHost);
        }
        captured = true;
        check(
            [&](std::string_view value) {
                return captured_variable(cf, value, *place.core, *place.server);
            },
            kCaptured);
        if (place.core->noname) {
            continue;
        }
        if (place.admitted != Admitted::few) {
            warn_of_admitted(cf, conf, place.admitted);
        }
        if (!place.method_setter.empty() && conf.methods != nullptr) {
            log_conf(cf, NGX_LOG_WARN,
                     std::string(place.method_setter)
                         + " makes what is sold of requests that are free: "
                           "methods that x402_methods does not list; take one "
                           "of the two away",
                     conf.origin);
        }
    }
}

}  // namespace x402
