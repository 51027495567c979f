// SPDX-License-Identifier: Apache-2.0
#include "nginx/store/ngx_http_x402_pass_zone.hpp"

#include "nginx/store/ngx_http_x402_table_zone.hpp"

namespace x402 {

namespace {

const TableZoneKind kKind = {"x402_passes", "passes:1m",
                             init_table_zone<PassTable>};

}  // namespace

ngx_shm_zone_t *pass_zone(ngx_conf_t *cf,
                          std::optional<std::string_view> written)
{
    return add_table_zone(cf, kKind, written);
}

bool count_pass(ngx_shm_zone_t *zone, const PassId &id, std::uint32_t requests,
                std::int64_t expires, std::uint32_t &left)
{
    ZoneLock lock(zone);
    return PassTable(table_of(zone))
        .issue(id, requests, expires, ngx_time(), left);
}

PassFault use_pass(ngx_shm_zone_t *zone, const PassId &id,
                   std::uint32_t requests, std::uint32_t &left)
{
    ZoneLock lock(zone);
    return PassTable(table_of(zone)).use(id, requests, ngx_time(), left);
}

void give_back_pass(ngx_shm_zone_t *zone, const PassId &id,
                    std::uint32_t requests)
{
    ZoneLock lock(zone);
    PassTable(table_of(zone)).give_back(id, requests);
}

}  // namespace x402
