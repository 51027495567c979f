// SPDX-License-Identifier: Apache-2.0
// A payment that was presented before.
#ifndef NGX_HTTP_X402_RESUME_HPP
#define NGX_HTTP_X402_RESUME_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Answers from the claim, or continues it. False: the payment may begin anew.
bool answer_from_claim(RequestCtx &ctx, Worker &worker, const ClaimView &claim);

}  // namespace x402

#endif
