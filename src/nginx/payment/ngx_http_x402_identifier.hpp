// SPDX-License-Identifier: Apache-2.0
// Extension payment-identifier: the client names its payment.
#ifndef NGX_HTTP_X402_IDENTIFIER_HPP
#define NGX_HTTP_X402_IDENTIFIER_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// False: the payment has been answered, because its name is missing or invalid,
// or because another payment has that name.
bool check_identifier(RequestCtx &ctx, Worker &worker);
// The payment takes its name, before content is made. False: it cannot have it,
// and ctx.answer says so.
bool record_identifier(RequestCtx &ctx);

}  // namespace x402

#endif
