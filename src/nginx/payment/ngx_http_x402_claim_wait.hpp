// Waiting for a payment that another request is working on.
#ifndef NGX_HTTP_X402_CLAIM_WAIT_HPP
#define NGX_HTTP_X402_CLAIM_WAIT_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// True: this request waits and its access phase runs again. False: it has
// waited long enough, or its client has as many unverified and waiting payments
// as it may have.
bool wait_for_claim(RequestCtx &ctx);

}  // namespace x402

#endif
