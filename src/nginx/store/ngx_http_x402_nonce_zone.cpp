// SPDX-License-Identifier: Apache-2.0
#include "nginx/store/ngx_http_x402_nonce_zone.hpp"

#include "nginx/store/ngx_http_x402_table_zone.hpp"

namespace x402 {

namespace {

ngx_int_t on_init(ngx_shm_zone_t *zone, void *old_data)
{
    return guarded(zone->shm.log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        if (begin_table<NonceTable>(zone, old_data)) {
            NonceTable(table_of(zone)).begin(ngx_time());
        }
        return static_cast<ngx_int_t>(NGX_OK);
    });
}

const TableZoneKind kKind = {"x402_nonces", "nonces:1m", on_init};

}  // namespace

ngx_shm_zone_t *nonce_zone(ngx_conf_t *cf)
{
    return add_table_zone(cf, kKind, "x402_nonces:4m");
}

NonceUse use_nonce(ngx_shm_zone_t *zone, const Digest &nonce,
                   std::int64_t issued, std::int64_t expires)
{
    ZoneLock lock(zone);
    return NonceTable(table_of(zone)).use(nonce, issued, expires, ngx_time());
}

}  // namespace x402
