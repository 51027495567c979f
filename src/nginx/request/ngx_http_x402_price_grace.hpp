// What the request is offered, and what it was offered a moment ago: a client
// that was offered the price before a reload may still pay it.
#ifndef NGX_HTTP_X402_PRICE_GRACE_HPP
#define NGX_HTTP_X402_PRICE_GRACE_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// The option that the payment means: of the offer of now, else of one that a
// reload or another answer of the facilitator replaced not longer ago than its
// maxTimeoutSeconds. nullptr for none. Lifetime: the context's.
const PaymentOffer::Option *find_option(RequestCtx &ctx,
                                        const PaymentPayload &payload);

// Completes a binding with what a payment for this option is made for and in.
void bind_option(ClaimBinding &binding, const PaymentOffer::Option &option);

// Whether a claim with this binding answers the request: one of the same offers
// asks for what was bought. ctx.payment knows then which option it was.
bool is_bought_here(RequestCtx &ctx, const ClaimBinding &bought);

}  // namespace x402

#endif
