// SPDX-License-Identifier: Apache-2.0
// A key that no file has: it is made when nginx starts, in shared memory of its
// own, and is the same in all workers and after each reload.
#ifndef NGX_HTTP_X402_MADE_KEY_HPP
#define NGX_HTTP_X402_MADE_KEY_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// Registers or finds its memory. nullptr: an error was printed.
ngx_shm_zone_t *add_made_key(ngx_conf_t *cf);

// Once nginx has started. Empty: there were no random bytes, use no other.
std::string_view made_key(const ngx_shm_zone_t *zone);

}  // namespace x402

#endif
