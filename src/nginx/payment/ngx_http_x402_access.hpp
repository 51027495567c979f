// The front door: who may pass, who is asked for money.
#ifndef NGX_HTTP_X402_ACCESS_HPP
#define NGX_HTTP_X402_ACCESS_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Access phase, last in it. NGX_OK only for a payment that was accepted.
ngx_int_t on_access(ngx_http_request_t *r);

// The presented payment from its header to a claim and the first call; the
// session has been stepped, ctx.answer is set when there is one to send.
void receive_payment(RequestCtx &ctx, std::string_view header_value);

// The answer for a settlement that did not end in payment.
OwnReply settlement_answer(const RequestCtx &ctx,
                           const SettlementResult &result);

// What variables say about a settlement.
void record_settlement(RequestCtx &ctx, const SettlementResult &result);

// Terms of the settlement of this request, whose body goes with them: there is
// one settlement, and it may live longer.
SettlementTerms settlement_terms(RequestCtx &ctx);

// Runs the request on after a call was answered. The request may be gone
// afterwards.
void resume_phases(ngx_http_request_t *r);

}  // namespace x402

#endif
