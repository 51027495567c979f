// SPDX-License-Identifier: Apache-2.0
// The settlement of a request's payment: when it happens, what it asks for,
// what its result means for the request, and the settlement before content.
#ifndef NGX_HTTP_X402_PAYMENT_SETTLEMENT_HPP
#define NGX_HTTP_X402_PAYMENT_SETTLEMENT_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Sets ctx.payment->settles. `distrusted`: this very payment was refused
// before, and no content is made for it on trust.
void set_settle_time(RequestCtx &ctx, bool distrusted);

// Whether the payment would be settled before content even if it is valid, as
// far as is known: this saves the verify.
bool is_distrusted(const RequestCtx &ctx, Worker &worker);

// Terms of the settlement of this request. The body of the call moves into
// them: there is one settlement, and it may live longer than the request.
SettlementTerms settlement_terms(RequestCtx &ctx);

// The answer for a settlement that did not end in payment.
OwnReply settlement_answer(const RequestCtx &ctx,
                           const SettlementResult &result);

// What variables say about a settlement: its transaction and the facilitator's
// answer move there.
void record_settlement(RequestCtx &ctx, SettlementResult &result);

// The session is in state settling_first. The request runs on when the outcome
// is known.
void settle_first(RequestCtx &ctx, Worker &worker, Endpoint &endpoint,
                  SettlementTerms terms);

}  // namespace x402

#endif
