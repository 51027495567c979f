// SPDX-License-Identifier: Apache-2.0
#include "nginx/store/ngx_http_x402_nonce_zone.hpp"

#include "nginx/store/ngx_http_x402_table_zone.hpp"

namespace x402 {

namespace {

const TableZoneKind kKind = {"x402_nonces", "nonces:1m",
                             init_table_zone<NonceTable>};

}  // namespace

ngx_shm_zone_t *nonce_zone(ngx_conf_t *cf)
{
    return add_table_zone(cf, kKind, "x402_nonces:4m");
}

NonceUse use_nonce(ngx_shm_zone_t *zone, const Digest &nonce,
                   std::int64_t expires)
{
    ZoneLock lock(zone);
    return NonceTable(table_of(zone)).use(nonce, expires, ngx_time());
}

}  // namespace x402
