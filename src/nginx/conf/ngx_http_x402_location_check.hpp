// SPDX-License-Identifier: Apache-2.0
// Probable mistakes in a paid location. They are reported when the
// configuration is read, because at run time they show as content that is given
// away, or as clients that cannot pay.
#ifndef NGX_HTTP_X402_LOCATION_CHECK_HPP
#define NGX_HTTP_X402_LOCATION_CHECK_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// From merge, for a paid location with its offer and its facilitators; prints
// warnings. `new_offer`: the offer was not inherited, so that its mistakes were
// not reported before. False: an error was printed.
bool check_location(ngx_conf_t *cf, const LocationConf &conf, bool new_offer);

// From merge, for every location: variables that are used where they are still
// empty, and content or redirects of the rewrite phase in a paid location.
void check_rewrite(ngx_conf_t *cf, const LocationConf &conf);

// An x402_charge of the location itself. False: an error was printed.
bool check_charge(ngx_conf_t *cf, const LocationConf &conf,
                  const LocationConf &outer);

}  // namespace x402

#endif
