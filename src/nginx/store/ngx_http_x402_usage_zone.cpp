// SPDX-License-Identifier: Apache-2.0
#include "nginx/store/ngx_http_x402_usage_zone.hpp"

#include "nginx/store/ngx_http_x402_table_zone.hpp"

namespace x402 {

namespace {

const TableZoneKind kKind = {"x402_payers", "payers:1m",
                             init_table_zone<UsageTable>};

std::uint64_t now_ms()
{
    ngx_time_t *now = ngx_timeofday();
    return static_cast<std::uint64_t>(now->sec) * 1000
           + static_cast<std::uint64_t>(now->msec);
}

Digest key_of(std::string_view rule, std::string_view subject)
{
    std::string text(rule);
    text += '\n';
    text += subject;
    return sha256(text);
}

template <class Rule>
std::uint64_t count(ngx_shm_zone_t *zone, std::string_view rule,
                    std::string_view subject, const Rule &how,
                    std::uint64_t requests)
{
    Digest key = key_of(rule, subject);
    ZoneLock lock(zone);
    return UsageTable(table_of(zone)).count(key, how, requests, now_ms());
}

}  // namespace

ngx_shm_zone_t *usage_zone(ngx_conf_t *cf,
                           std::optional<std::string_view> written)
{
    return add_table_zone(cf, kKind, written);
}

std::uint64_t count_usage(ngx_shm_zone_t *zone, std::string_view rule,
                          std::string_view subject, const UsageRate &rate,
                          std::uint64_t requests)
{
    return count(zone, rule, subject, rate, requests);
}

std::uint64_t count_usage(ngx_shm_zone_t *zone, std::string_view rule,
                          std::string_view subject, const UsageQuota &quota,
                          std::uint64_t requests)
{
    return count(zone, rule, subject, quota, requests);
}

}  // namespace x402
