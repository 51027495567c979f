// SPDX-License-Identifier: Apache-2.0
// Whether a location with a price has all that an offer needs, at its own level
// or at a level around it. Merge asks before it builds the offer.
#ifndef NGX_HTTP_X402_OFFER_MISSING_HPP
#define NGX_HTTP_X402_OFFER_MISSING_HPP

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// True: build_offer() finds everything.
bool is_complete(const LocationConf &conf);

// Prints an error that names what is missing and the directive that gives it.
// Returns NGX_CONF_ERROR. Precondition: !is_complete().
char *report_incomplete(ngx_conf_t *cf, const LocationConf &conf);

}  // namespace x402

#endif
