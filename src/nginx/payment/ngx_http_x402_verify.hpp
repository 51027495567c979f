// SPDX-License-Identifier: Apache-2.0
// The verify call to a facilitator, and what follows from its answer. Payments
// and tokens use the same path; VerifyRules contains the differences. A valid
// payment has four ways on. Also content without that call (x402_verify local,
// trusted, off).
#ifndef NGX_HTTP_X402_VERIFY_HPP
#define NGX_HTTP_X402_VERIFY_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

struct VerifyRules {
    // What the answer means. Without memory: a verdict that admits nothing.
    VerifyAnswer (*read)(RequestCtx &ctx, const FacilitatorReply &reply);
    // True: another facilitator of the group is being called.
    bool (*moves)(RequestCtx &ctx, const FacilitatorReply &reply,
                  const VerifyAnswer &answer);
    // It is valid; ctx.payment->payer is as the facilitator named it.
    void (*accept)(RequestCtx &ctx);
    // It is not: ends the payment with an answer.
    void (*refuse)(RequestCtx &ctx, const VerifyAnswer &answer);
    const char *thing;   // "payment" or "token", for the log
    const char *advice;  // to the operator, when its account is at fault
};

// Calls this facilitator with ctx.payment->request_body. The request continues
// when the answer has come. Lifetime: `rules` is static.
void begin_verify(RequestCtx &ctx, Endpoint &endpoint,
                  const VerifyRules &rules);

// Content without the facilitator's word (x402_verify local, trusted, off): it
// is made and held, and settle decides. Precondition: the claim is taken, and
// the payment would be verified at `endpoint` next. False: verify it.
bool serve_unverified(RequestCtx &ctx, Worker &worker, Endpoint &endpoint);

// Precondition: the session is verifying. Continues with content under an older
// claim of the payer, content before settlement, settlement before content, or
// (`x402_settle off`) content without settlement.
void accept_valid_payment(RequestCtx &ctx);

// The rest of it: nothing of the payer goes before, and the identifier of the
// payment, if it has one, is its own on all machines.
void accept_named_payment(RequestCtx &ctx);

}  // namespace x402

#endif
