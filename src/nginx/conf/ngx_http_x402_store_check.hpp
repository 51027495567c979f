// SPDX-License-Identifier: Apache-2.0
// What may be sold from several machines that share a store.
#ifndef NGX_HTTP_X402_STORE_CHECK_HPP
#define NGX_HTTP_X402_STORE_CHECK_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// Once the whole configuration was read. False: an error was printed.
bool check_store(ngx_conf_t *cf, MainConf &mcf);

}  // namespace x402

#endif
