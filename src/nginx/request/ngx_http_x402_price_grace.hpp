// A price that moved with a reload: a client that was offered the old one a
// moment ago may still pay it.
#ifndef NGX_HTTP_X402_PRICE_GRACE_HPP
#define NGX_HTTP_X402_PRICE_GRACE_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// The way that the payment means: of the offer of now, else of one that a
// reload or another answer of the facilitator replaced not longer ago than its
// maxTimeoutSeconds. nullptr for none. Lifetime: the context's.
const PaymentOffer::Option *find_option(RequestCtx &ctx,
                                        const PaymentPayload &payload);

}  // namespace x402

#endif
