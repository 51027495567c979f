// SPDX-License-Identifier: Apache-2.0
// A new payment of a payer that has paid for the same resource before and did
// not get it. Official clients never present a payment twice, they sign a new
// one.
#ifndef NGX_HTTP_X402_PAYER_CLAIMS_HPP
#define NGX_HTTP_X402_PAYER_CLAIMS_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Fills in what the claim keeps of the payment option, before take().
void complete_facts(RequestCtx &ctx, const PaymentOffer::Option &option);

// True if there is one. Money: such a payment is verified before it is settled,
// because it may not have to be settled at all.
bool has_older_claim(const RequestCtx &ctx, Worker &worker);

// The payment was verified. True: the request goes on under an older claim, or
// is answered because of it, and this payment is free again. False: there is
// none, and it is a new purchase.
bool adopt_older_claim(RequestCtx &ctx, Worker &worker);

}  // namespace x402

#endif
