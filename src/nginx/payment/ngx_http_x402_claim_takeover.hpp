// SPDX-License-Identifier: Apache-2.0
// A claim that is UNKNOWN, settled before content and never verified, may have
// been forged with another payer's name and nonce. A payment with other
// terms under its signature is verified, and then takes the claim over.
#ifndef NGX_HTTP_X402_CLAIM_TAKEOVER_HPP
#define NGX_HTTP_X402_CLAIM_TAKEOVER_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// True: the payment is being verified, or was answered. False: it is not such a
// claim.
bool take_over_claim(RequestCtx &ctx, Worker &worker, const ClaimView &claim);
// The payment was verified.
void settle_disputed_claim(RequestCtx &ctx, Worker &worker);
// The claim is to be had, and `hold` has it in the store (nullptr: there is
// none). False: not on this machine, and the request is answered.
bool settle_taken_over(RequestCtx &ctx, const std::shared_ptr<StoreHold> &hold);

}  // namespace x402

#endif
