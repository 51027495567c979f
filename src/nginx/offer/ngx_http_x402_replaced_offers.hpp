// SPDX-License-Identifier: Apache-2.0
// The offers that a reload replaces: a client that was offered the old price a
// moment ago may still pay it (request/ngx_http_x402_price_grace.hpp).
#ifndef NGX_HTTP_X402_REPLACED_OFFERS_HPP
#define NGX_HTTP_X402_REPLACED_OFFERS_HPP

#include "nginx/offer/ngx_http_x402_offer.hpp"

namespace x402 {

// While the configuration is read: remembers the location's offer under its
// place (the addresses and the name of the server, the name of the location),
// and takes over what the running configuration, if there is one, offers there
// for a constant price. Offers that share one place have no grace.
// False: no memory.
bool keep_old_offers(ngx_conf_t *cf, LocationOffer &location);

}  // namespace x402

#endif
