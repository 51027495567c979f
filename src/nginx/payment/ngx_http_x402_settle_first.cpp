// Settlement in the access phase: `x402_settle before`, and payments whose
// outcome was unknown. Also what every settlement of a request asks for, and
// how one that did not end in payment is answered.
#include "facilitator/credit_answers.hpp"
#include "nginx/offer/ngx_http_x402_nevermined.hpp"
#include "nginx/payment/ngx_http_x402_facilitator_peers.hpp"
#include "nginx/payment/ngx_http_x402_payment.hpp"
#include "nginx/reply/ngx_http_x402_notify.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"

namespace x402 {

namespace {

// Retry-After is never longer than the payment stays usable; tokens do not say.
OwnReply capped(const RequestCtx &ctx, OwnReply answer)
{
    std::int64_t left = ctx.payment->valid_before - ngx_time();
    if (!ctx.dialect->uses_bearer_tokens()
        && static_cast<std::int64_t>(answer.retry_after) > left) {
        answer.retry_after = left > 0 ? static_cast<ngx_uint_t>(left) : 0;
    }
    return answer;
}

void on_settled_first(RequestCtx &ctx, const PaymentStep &next,
                      const SettlementResult &result)
{
    ctx.state = next.next;
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
        Settlement::start(worker, endpoint, std::move(terms), ctx.state,
                          std::move(ctx.slot), on_settled, &ctx);
}

void record_settlement(RequestCtx &ctx, const SettlementResult &result)
{
    ctx.settle_time = result.time;
    ctx.asked = result.asked;
    ctx.transaction = result.transaction;
    if (result.event == PaymentEvent::settle_paid
        || result.event == PaymentEvent::settle_unproven) {
        ctx.payment->payer_known = true;
        notify(ctx, NotifyEvent::settle);
    }
    ctx.never_settled = result.event == PaymentEvent::settle_waived;
}

SettlementTerms settlement_terms(RequestCtx &ctx)
{
    Payment &payment = *ctx.payment;
    SettlementTerms terms;
    terms.claim = payment.claim;
    terms.body = std::move(payment.request_body);
    terms.network = payment.network;
    terms.payer = payment.payer;
    terms.amount = payment.amount;
    terms.asset = payment.asset;
    terms.at_most = payment.payload.scheme() == "upto";
    terms.resource = ctx.resource_url;
    terms.payer_digest = payment.facts.payer;
    terms.receipt_network = payment.receipt_network;
    terms.unproven_delivers =
        ctx.conf->unproven == NGX_HTTP_X402_UNPROVEN_DELIVER;
    if (ctx.dialect->uses_bearer_tokens()) {
        terms.read_answer = read_token_settle_answer;
        terms.waives_failure = delivers_unsettled(*ctx.conf);
    }
    terms.connect_timeout = ctx.conf->connect_timeout;
    terms.timeout = ctx.conf->settle_timeout;
    auto *clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_get_module_loc_conf(ctx.r, ngx_http_core_module));
    terms.request_log = ctx.r->connection->log;
    terms.log = clcf->error_log;
    return terms;
}

OwnReply settlement_answer(const RequestCtx &ctx,
                           const SettlementResult &result)
{
    switch (result.event) {
    case PaymentEvent::settle_refused: {
        OwnReply answer = challenge_answer(result.reason);
        answer.status = 402;
        answer.receipt = result.receipt;
        return answer;
    }
    case PaymentEvent::settle_not_processed:
        if (result.unwritten) {
            return capped(ctx, busy_answer(5));
        }
        return result.verdict == SettleVerdict::rate_limited
                   ? capped(ctx, busy_answer(2))
                   : fault_answer(NGX_HTTP_BAD_GATEWAY, "facilitator_failed");
    default:
        break;
    }
    OwnReply answer = unknown_answer();
    if (result.unproven_refused) {
        answer.status = NGX_HTTP_CONFLICT;
        answer.word = "settlement_unproven";
    }
    return capped(ctx, std::move(answer));
}

}  // namespace x402
