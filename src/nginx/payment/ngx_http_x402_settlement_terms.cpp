#include "nginx/payment/ngx_http_x402_settlement_terms.hpp"

#include "facilitator/credit_answers.hpp"
#include "nginx/offer/ngx_http_x402_nevermined.hpp"
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"
#include "nginx/reply/ngx_http_x402_notify.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "nginx/request/ngx_http_x402_request_books.hpp"

namespace x402 {

void record_settlement(RequestCtx &ctx, const SettlementResult &result)
{
    ctx.trace.settle_time = result.time;
    ctx.asked = result.asked;
    ctx.trace.transaction = result.transaction;
    ctx.trace.settle_body = result.body;
    ctx.trace.settle_document.reset();
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
    terms.resource = ctx.quote.resource_url;
    terms.payer_digest = payment.facts.payer;
    terms.money = money_books(ctx);
    terms.receipt_network = payment.receipt_network;
    terms.unproven_delivers =
        ctx.quote.conf->unproven == NGX_HTTP_X402_UNPROVEN_DELIVER;
    if (ctx.quote.dialect->uses_bearer_tokens()) {
        terms.read_answer = read_token_settle_answer;
        terms.waives_failure = delivers_unsettled(*ctx.quote.conf);
    }
    terms.connect_timeout = ctx.quote.conf->connect_timeout;
    terms.timeout = ctx.quote.conf->settle_timeout;
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
            return cap_retry(ctx, busy_answer(5));
        }
        return result.verdict == SettleVerdict::rate_limited
                   ? cap_retry(ctx, busy_answer(2))
                   : fault_answer(NGX_HTTP_BAD_GATEWAY, "facilitator_failed");
    default:
        break;
    }
    OwnReply answer = unknown_answer();
    if (result.unproven_refused) {
        answer.status = NGX_HTTP_CONFLICT;
        answer.word = "settlement_unproven";
    }
    return cap_retry(ctx, std::move(answer));
}

}  // namespace x402
