// Settles before content is made.
#ifndef NGX_HTTP_X402_SETTLE_FIRST_HPP
#define NGX_HTTP_X402_SETTLE_FIRST_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// The session is in state settling_first. The request runs on when the outcome
// is known.
void settle_first(RequestCtx &ctx, Worker &worker, Endpoint &endpoint,
                  SettlementTerms terms);

}  // namespace x402

#endif
