// SPDX-License-Identifier: Apache-2.0
// Directive setters: rules about payers.
#include <algorithm>

#include "nginx/conf/ngx_http_x402_client_values.hpp"
#include "nginx/core/ngx_http_x402_complex_value.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/zone/ngx_http_x402_small_zones.hpp"

namespace x402 {

namespace {

constexpr std::uint64_t kMostRequests = 1000000000;

PayerRules *rules_of(ngx_conf_t *cf, void *conf)
{
    LocationConf *lcf = location_conf(conf);
    if (lcf->payer_rules == nullptr) {
        lcf->payer_rules = pool_new<PayerRules>(cf->pool);
    }
    return lcf->payer_rules;
}

bool is_off(ngx_conf_t *cf)
{
    return cf->args->nelts == 2 && view(arguments(cf)[1]) == "off";
}

// `key=`; false: the word has another key.
bool take_key(std::string_view word, std::string_view key,
              std::string_view &value)
{
    if (word.substr(0, key.size()) != key) {
        return false;
    }
    value = word.substr(key.size());
    return true;
}

// `zone=`. False: the word has another key.
bool take_zone(std::string_view word, std::optional<std::string_view> &zone)
{
    std::string_view value;
    if (!take_key(word, "zone=", value)) {
        return false;
    }
    zone = value;
    return true;
}

std::optional<std::uint64_t> read_count(std::string_view text)
{
    ngx_str_t digits = to_ngx_str(text);
    ngx_int_t count =
        text.empty() ? NGX_ERROR : ngx_atoi(digits.data, digits.len);
    if (count <= 0 || static_cast<std::uint64_t>(count) > kMostRequests) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(count);
}

// Words for the units of nginx, of which a month has 30 days.
std::string period_of(std::string_view text)
{
    constexpr std::pair<std::string_view, std::string_view> kWords[] = {
        {"second", "1s"}, {"minute", "1m"}, {"hour", "1h"},
        {"day", "1d"},    {"week", "1w"},   {"month", "1M"},
    };
    for (const auto &[word, period] : kWords) {
        if (text == word) {
            return std::string(period);
        }
    }
    bool counted = text.find_first_of("0123456789") != std::string_view::npos;
    return (counted ? "" : "1") + std::string(text);
}

// 100/d, 5/30s, 1000/1h, 10/day.
std::optional<UsageQuota> read_quota(std::string_view text)
{
    std::size_t slash = text.find('/');
    auto limit = read_count(text.substr(0, slash));
    if (!limit || slash == std::string_view::npos || slash + 1 == text.size()) {
        return std::nullopt;
    }
    std::string period = period_of(text.substr(slash + 1));
    ngx_str_t time = to_ngx_str(period);
    ngx_int_t seconds = ngx_parse_time(&time, 1);
    if (seconds == NGX_ERROR || seconds < 1) {
        return std::nullopt;
    }
    return UsageQuota{*limit, static_cast<std::uint64_t>(seconds) * 1000};
}

// 10r/s, 100r/m.
std::optional<std::uint64_t> read_interval(std::string_view text)
{
    std::size_t unit = text.size() > 3 ? text.size() - 3 : 0;
    auto count = read_count(text.substr(0, unit));
    if (!count || *count > 1000000) {
        return std::nullopt;
    }
    if (text.substr(unit) == "r/s") {
        return 1000000 / *count;
    }
    return text.substr(unit) == "r/m"
               ? std::optional<std::uint64_t>(60000000 / *count)
               : std::nullopt;
}

char *set_deny(ngx_conf_t *cf, void *conf)
{
    PayerRules *rules = rules_of(cf, conf);
    if (rules == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    if (is_off(cf) ? rules->deny_written
                   : rules->deny_written && rules->deny == nullptr) {
        return conf_error(cf, "\"x402_deny off\" stands alone at a level");
    }
    rules->deny_written = true;
    if (is_off(cf)) {
        return NGX_CONF_OK;
    }
    if (rules->deny == nullptr) {
        rules->deny =
            ngx_array_create(cf->pool, 1, sizeof(ngx_http_complex_value_t));
    }
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        std::string_view text = view(arguments(cf)[i]);
        if (!has_variable(text) && !text.empty() && text != "0") {
            return conf_error(cf, "\"" + std::string(text)
                                      + "\" would refuse every payer; write a "
                                        "value with a variable, such as one of "
                                        "a map on $x402_payer, or \"off\"");
        }
        auto *value = rules->deny ? static_cast<ngx_http_complex_value_t *>(
                          ngx_array_push(rules->deny))
                                  : nullptr;
        if (value == nullptr || !compile_value(cf, arguments(cf)[i], *value)) {
            return static_cast<char *>(NGX_CONF_ERROR);
        }
    }
    return NGX_CONF_OK;
}

char *set_limit(ngx_conf_t *cf, void *conf)
{
    PayerRules *rules = rules_of(cf, conf);
    if (rules == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    if (rules->limit_written) {
        return const_cast<char *>("is duplicate");
    }
    rules->limit_written = true;
    if (is_off(cf)) {
        return NGX_CONF_OK;
    }
    PayerLimit limit;
    std::optional<std::string_view> zone;
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        std::string_view word = view(arguments(cf)[i]);
        std::string_view value;
        if (take_zone(word, zone)) {
            continue;
        }
        if (take_key(word, "rate=", value)) {
            auto interval = read_interval(value);
            if (!interval) {
                return conf_error(cf, "\"" + std::string(word)
                                          + "\" is not a rate; write one such "
                                            "as rate=10r/s or rate=30r/m");
            }
            limit.rate.interval_us = *interval;
        } else if (take_key(word, "burst=", value) && read_count(value)) {
            limit.rate.burst = *read_count(value);
        } else {
            return conf_error(cf, "\"" + std::string(word)
                                      + "\" is unknown; write zone=name:size, "
                                        "rate=10r/s, burst=5, or off");
        }
    }
    if (limit.rate.interval_us == 0) {
        return conf_error(cf, "\"x402_limit_payer\" has no rate; write one "
                              "such as rate=10r/s");
    }
    limit.rule = "limit";
    limit.zone = usage_zone(cf, zone);
    if (limit.zone == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    rules->limit = std::move(limit);
    return NGX_CONF_OK;
}

// The words of x402_quota and x402_free but for the key. False: an error was
// printed, or no memory.
bool read_quota_words(ngx_conf_t *cf, std::string_view number,
                      std::optional<std::string_view> zone, const char *kind,
                      PayerQuota &out)
{
    auto quota = read_quota(number);
    if (!quota) {
        conf_error(cf, "\"" + std::string(number)
                           + "\" is not a number of requests and a time; write "
                             "one such as 100/d or 10/30m");
        return false;
    }
    out.quota = *quota;
    out.rule = kind + std::string(number);
    out.zone = usage_zone(cf, zone);
    return out.zone != nullptr;
}

char *set_quota(ngx_conf_t *cf, void *conf)
{
    PayerRules *rules = rules_of(cf, conf);
    if (rules == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    if (is_off(cf) ? rules->quotas_written
                   : rules->quotas_written && rules->quotas.empty()) {
        return conf_error(cf, "\"x402_quota off\" stands alone at a level");
    }
    rules->quotas_written = true;
    if (is_off(cf)) {
        return NGX_CONF_OK;
    }
    if (cf->args->nelts < 3) {
        return conf_error(cf, "\"x402_quota\" needs a subject and a number; "
                              "write \"payer 100/d\"");
    }
    PayerQuota quota;
    std::string_view subject = view(arguments(cf)[1]);
    if (subject != "payer") {
        if (!has_variable(subject)) {
            return conf_error(cf, "\"" + std::string(subject)
                                      + "\" is the same for all payers; write "
                                        "payer, or a value with a variable");
        }
        quota.key = compile_value(cf, arguments(cf)[1]);
        if (quota.key == nullptr) {
            return static_cast<char *>(NGX_CONF_ERROR);
        }
    }
    std::optional<std::string_view> zone;
    if (cf->args->nelts > 3 && !take_zone(view(arguments(cf)[3]), zone)) {
        return conf_error(cf, "\"" + copy(arguments(cf)[3])
                                  + "\" is unknown; write zone=name:size");
    }
    std::string kind = "quota " + std::string(subject) + " ";
    if (!read_quota_words(cf, view(arguments(cf)[2]), zone, kind.c_str(),
                          quota)) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    rules->quotas.push_back(std::move(quota));
    return NGX_CONF_OK;
}

// Another one with each request, connection or second, or in each spelling;
// an offer contains the URL that was asked for.
bool is_ever_new(std::string_view name)
{
    constexpr std::string_view kNames[] = {
        "request_id",     "request_uri",         "request",
        "request_length", "request_time",        "msec",
        "connection",     "connection_requests", "connection_time",
        "remote_port",    "ssl_session_id",      "realip_remote_port",
        "time_iso8601",   "time_local",          "date_gmt",
        "date_local",     "request_method",      "server_protocol",
        "x402_offer",
    };
    return name.substr(0, 8) == "tcpinfo_"
           || std::find(std::begin(kNames), std::end(kNames), name)
                  != std::end(kNames);
}

// Money: each key has its free requests, so that a client that writes the key,
// or has another one each time, has as many as it likes.
void warn_of_invented_keys(ngx_conf_t *cf, std::string_view key)
{
    std::vector<std::string> names = variables_in(key);
    auto found = std::find_if(names.begin(), names.end(), [](const auto &name) {
        return is_of_client(name) || is_ever_new(name);
    });
    if (found == names.end()) {
        return;
    }
    std::string warning =
        "any client can " + std::string(is_of_client(*found) ? "write" : "have")
        + " another $" + *found
        + " and free requests without end; look it up in a map of the keys "
          "that you gave out, or count by $binary_remote_addr";
    ngx_conf_log_error(NGX_LOG_WARN, cf, 0, "%*s", warning.size(),
                       warning.data());
}

char *set_free(ngx_conf_t *cf, void *conf)
{
    PayerRules *rules = rules_of(cf, conf);
    if (rules == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    if (rules->free_written) {
        return const_cast<char *>("is duplicate");
    }
    rules->free_written = true;
    if (is_off(cf)) {
        return NGX_CONF_OK;
    }
    PayerQuota quota;
    std::optional<std::string_view> zone;
    for (ngx_uint_t i = 2; i < cf->args->nelts; i++) {
        std::string_view word = view(arguments(cf)[i]);
        std::string_view key;
        if (take_zone(word, zone)) {
            continue;
        }
        if (!take_key(word, "key=", key) || !has_variable(key)) {
            return conf_error(cf, "\"" + std::string(word)
                                      + "\" is unknown; write key= with a "
                                        "variable, such as "
                                        "key=$binary_remote_addr, or "
                                        "zone=name:size");
        }
        warn_of_invented_keys(cf, key);
        quota.key = compile_value(cf, to_ngx_str(key));
        if (quota.key == nullptr) {
            return static_cast<char *>(NGX_CONF_ERROR);
        }
    }
    if (quota.key == nullptr) {
        return conf_error(cf, "\"x402_free\" needs to know whose requests are "
                              "counted; write \"100/d "
                              "key=$binary_remote_addr\"");
    }
    if (!read_quota_words(cf, view(arguments(cf)[1]), zone, "free ", quota)) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    rules->free = std::move(quota);
    return NGX_CONF_OK;
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_deny(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_deny, conf);
}

char *ngx_http_x402_set_limit_payer(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_limit, conf);
}

char *ngx_http_x402_set_quota(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_quota, conf);
}

char *ngx_http_x402_set_free(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_free, conf);
}
