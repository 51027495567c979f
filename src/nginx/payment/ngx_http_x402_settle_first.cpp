// Settlement in the access phase: `x402_settle before`, and payments whose
// outcome was unknown.
#include "nginx/payment/ngx_http_x402_settle_first.hpp"

#include "nginx/payment/ngx_http_x402_facilitator_peers.hpp"
#include "nginx/payment/ngx_http_x402_phase_resume.hpp"
#include "nginx/payment/ngx_http_x402_settlement_terms.hpp"

namespace x402 {

namespace {

void on_settled_first(RequestCtx &ctx, const PaymentStep &next,
                      const SettlementResult &result)
{
    adopt(ctx, next);
    record_settlement(ctx, result);
    if (next.next == PaymentState::paid) {
        ctx.receipt = result.receipt;
        ctx.settled_first = true;
    } else {
        ctx.answer = settlement_answer(ctx, result);
        if (result.event == PaymentEvent::settle_refused) {
            remember_refusal(ctx, result.reason);
        }
    }
}

void on_settled(void *data, const PaymentStep &next,
                const SettlementResult &result)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    ctx->settlement = nullptr;
    resume_request(ctx->r, [&] { on_settled_first(*ctx, next, result); });
}

}  // namespace

void settle_first(RequestCtx &ctx, Worker &worker, Endpoint &endpoint,
                  SettlementTerms terms)
{
    ctx.asked = &endpoint.conf();
    // A claim of unknown outcome is never taken elsewhere.
    if (!terms.ever_unknown) {
        terms.others = others_to_settle(ctx, worker);
    }
    ctx.settlement =
        Settlement::start(worker, endpoint, std::move(terms), ctx.state(),
                          std::move(ctx.slot), on_settled, &ctx);
}

}  // namespace x402
