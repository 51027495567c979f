// When the money of a payment moves.
#ifndef NGX_HTTP_X402_SETTLE_TIME_HPP
#define NGX_HTTP_X402_SETTLE_TIME_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Sets ctx.payment->settles. `distrusted`: this very payment was refused
// before, and no content is made for it on trust.
void set_settle_time(RequestCtx &ctx, bool distrusted);

}  // namespace x402

#endif
