// What a new payment finds when its payer has paid for the same resource before
// and did not get it: official clients never present a payment twice, they sign
// a new one.
#ifndef NGX_HTTP_X402_PAYER_CLAIMS_HPP
#define NGX_HTTP_X402_PAYER_CLAIMS_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Fills in what the claim keeps of the payment option, before take().
void complete_facts(RequestCtx &ctx, const PaymentOffer::Option &option);

// Money: such a payment is verified before anything of it is settled, since it
// may not have to be settled at all.
bool has_older_claim(const RequestCtx &ctx, Worker &worker);

// The payment was verified. True: the request goes on under an older claim, or
// is answered because of it, and this payment is free again. False: there is
// none, and it is a new purchase.
bool adopt_older_claim(RequestCtx &ctx, Worker &worker);

}  // namespace x402

#endif
