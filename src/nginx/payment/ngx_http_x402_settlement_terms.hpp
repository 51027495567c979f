// What the settlement of a request asks for, and what its result means for the
// request: before content and after it.
#ifndef NGX_HTTP_X402_SETTLEMENT_TERMS_HPP
#define NGX_HTTP_X402_SETTLEMENT_TERMS_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Terms of the settlement of this request. The body of the call moves into
// them: there is one settlement, and it may live longer than the request.
SettlementTerms settlement_terms(RequestCtx &ctx);

// The answer for a settlement that did not end in payment.
OwnReply settlement_answer(const RequestCtx &ctx,
                           const SettlementResult &result);

// What variables say about a settlement.
void record_settlement(RequestCtx &ctx, const SettlementResult &result);

}  // namespace x402

#endif
