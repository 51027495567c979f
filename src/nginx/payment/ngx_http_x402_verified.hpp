// What follows when the facilitator says that a payment is valid.
#ifndef NGX_HTTP_X402_VERIFIED_HPP
#define NGX_HTTP_X402_VERIFIED_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Whether the payment would be settled before content even if it is valid, as
// far as is known: this saves the verify.
bool is_distrusted(const RequestCtx &ctx, Worker &worker);

// Precondition: the session is verifying. Content under an older claim of the
// payer, content on trust, money first, or (`x402_settle off`) content for
// good.
void accept_valid_payment(RequestCtx &ctx);

}  // namespace x402

#endif
