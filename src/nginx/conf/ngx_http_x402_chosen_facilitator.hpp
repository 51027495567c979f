// SPDX-License-Identifier: Apache-2.0
// Whom the payments of a location are verified and settled by.
#ifndef NGX_HTTP_X402_CHOSEN_FACILITATOR_HPP
#define NGX_HTTP_X402_CHOSEN_FACILITATOR_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// From merge, for a location with its offer. False: an error was printed, or
// memory ran out.
bool choose_facilitator(ngx_conf_t *cf, LocationConf &conf);

}  // namespace x402

#endif
