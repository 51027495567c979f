// SPDX-License-Identifier: Apache-2.0
// The shared memory of used nonces (session/nonce_table): one of 4 MB for all.
#ifndef NGX_HTTP_X402_NONCE_ZONE_HPP
#define NGX_HTTP_X402_NONCE_ZONE_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "session/nonce_table.hpp"

namespace x402 {

// Registers or finds the zone. nullptr: an error was printed.
ngx_shm_zone_t *nonce_zone(ngx_conf_t *cf);

// See NonceTable::use(), at this moment.
NonceUse use_nonce(ngx_shm_zone_t *zone, const Digest &nonce,
                   std::int64_t issued, std::int64_t expires);

}  // namespace x402

#endif
