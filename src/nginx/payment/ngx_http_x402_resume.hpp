// SPDX-License-Identifier: Apache-2.0
// A payment that was presented before.
#ifndef NGX_HTTP_X402_RESUME_HPP
#define NGX_HTTP_X402_RESUME_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"
#include "session/claim_answer.hpp"

namespace x402 {

// Answers from the claim, or continues it. False: the payment starts from the
// beginning.
bool answer_from_claim(RequestCtx &ctx, Worker &worker, const ClaimView &claim);

// What the request is, for answer_of().
ClaimPresenter presenter_of(RequestCtx &ctx, const ClaimView &claim);

// Carries out ask_again or deliver, of a claim that, with a store, was resumed
// there.
void resume_claim(RequestCtx &ctx, Worker &worker, const ClaimView &claim);

}  // namespace x402

#endif
