// A price that moved with a reload: who was offered the old one a moment ago
// may still pay it.
#ifndef NGX_HTTP_X402_PRICE_GRACE_HPP
#define NGX_HTTP_X402_PRICE_GRACE_HPP

#include "nginx/ngx_http_x402_ctx.hpp"

namespace x402 {

// While the configuration is read: remembers the location's offer under its
// place (server and location name), and takes over what the running
// configuration, if there is one, offers there for a constant price.
// False: no memory.
bool keep_old_offers(ngx_conf_t *cf, LocationOffer &location);

// The way that the payment means: of the offer of now, else of one that a
// reload or another answer of the facilitator replaced not longer ago than its
// maxTimeoutSeconds. nullptr for none. Lifetime: the context's.
const PaymentOffer::Way *find_way(RequestCtx &ctx,
                                  const PaymentPayload &payload);

}  // namespace x402

#endif
