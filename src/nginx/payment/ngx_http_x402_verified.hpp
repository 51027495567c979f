// SPDX-License-Identifier: Apache-2.0
// What follows when the facilitator says that a payment is valid.
#ifndef NGX_HTTP_X402_VERIFIED_HPP
#define NGX_HTTP_X402_VERIFIED_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Precondition: the session is verifying. Continues with content under an older
// claim of the payer, content before settlement, settlement before content, or
// (`x402_settle off`) content without settlement.
void accept_valid_payment(RequestCtx &ctx);

// The rest of it: nothing of the payer goes before, and the identifier of the
// payment, if it has one, is its own on all machines.
void accept_named_payment(RequestCtx &ctx);

}  // namespace x402

#endif
