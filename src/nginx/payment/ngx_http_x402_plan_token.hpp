// SPDX-License-Identifier: Apache-2.0
// A location that is paid with the credits of a plan, by opaque tokens (dialect
// nevermined).
#ifndef NGX_HTTP_X402_PLAN_TOKEN_HPP
#define NGX_HTTP_X402_PLAN_TOKEN_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// A request to such a location, with or without a token.
void receive_token(RequestCtx &ctx);

// Header to ctx.payment, with the request of verify; false: ctx.answer says why
// not.
bool read_token(RequestCtx &ctx);

}  // namespace x402

#endif
