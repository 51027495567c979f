// SPDX-License-Identifier: Apache-2.0
// What the request is offered, and what it was offered a moment ago: a client
// that was offered the price before a reload may still pay it.
#ifndef NGX_HTTP_X402_PRICE_GRACE_HPP
#define NGX_HTTP_X402_PRICE_GRACE_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// The option that the payment is for: of the present offer, else of one that a
// reload or another answer of the facilitator replaced, at most its
// maxTimeoutSeconds ago. nullptr: none. Lifetime: the context's.
const PaymentOffer::Option *find_option(RequestCtx &ctx,
                                        const PaymentPayload &payload);

// Completes a binding with the terms and the amount of this option.
void bind_option(ClaimBinding &binding, const PaymentOffer::Option &option);

// Whether a claim with this binding answers the request: one of the same offers
// asks for what was bought. That option is then in ctx.payment.
bool is_bought_here(RequestCtx &ctx, const ClaimBinding &bought);

}  // namespace x402

#endif
