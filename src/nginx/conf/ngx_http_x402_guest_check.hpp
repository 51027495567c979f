// SPDX-License-Identifier: Apache-2.0
// Whether clients of a location can come back (x402_pass, x402_sign_in), and
// how that is inherited.
#ifndef NGX_HTTP_X402_GUEST_CHECK_HPP
#define NGX_HTTP_X402_GUEST_CHECK_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// From merge, behind prices and x402_charge. Afterwards "off" is nullptr.
void merge_guests(ngx_conf_t *cf, LocationConf &conf,
                  const LocationConf &outer);

// From merge, behind that: whether "x402_sign_in only" may be here. False: an
// error was printed.
bool check_signature_alone(ngx_conf_t *cf, const LocationConf &conf,
                           bool price_written);

// From merge, for a paid location with its offer. False: an error was printed,
// or memory ran out.
bool check_guests(ngx_conf_t *cf, LocationConf &conf);

}  // namespace x402

#endif
