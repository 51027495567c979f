// SPDX-License-Identifier: Apache-2.0
#include "nginx/payment/ngx_http_x402_payment_settlement.hpp"

#include "facilitator/credit_answers.hpp"
#include "nginx/core/ngx_http_x402_header_list.hpp"
#include "nginx/offer/ngx_http_x402_nevermined.hpp"
#include "nginx/payment/ngx_http_x402_facilitator_peers.hpp"
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"
#include "nginx/payment/ngx_http_x402_phase_wait.hpp"
#include "nginx/reply/ngx_http_x402_notify.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "nginx/request/ngx_http_x402_request_books.hpp"

namespace x402 {

namespace {

// A connection that changes its protocol cannot be held back.
bool asks_for_tunnel(ngx_http_request_t *r)
{
    bool websocket = false;
    each_header(r->headers_in.headers, [&](const ngx_table_elt_t &header) {
        if (header_is(header.key, "upgrade")) {
            websocket = websocket || header_is(header.value, "websocket");
        }
    });
    return websocket || view(r->method_name) == "CONNECT";
}

std::optional<SettleTime> written_settle_time(ngx_uint_t written)
{
    switch (written) {
    case NGX_HTTP_X402_SETTLE_AFTER:
        return SettleTime::after;
    case NGX_HTTP_X402_SETTLE_BEFORE:
        return SettleTime::before;
    case NGX_HTTP_X402_SETTLE_OFF:
        return SettleTime::off;
    default:
        return std::nullopt;
    }
}

void on_settled_first(RequestCtx &ctx, const PaymentStep &next,
                      SettlementResult &result)
{
    adopt(ctx, next);
    record_settlement(ctx, result);
    if (next.next == PaymentState::paid) {
        ctx.receipt = std::move(result.receipt);
        ctx.settled_first = true;
    } else {
        ctx.answer = settlement_answer(ctx, result);
        if (result.event == PaymentEvent::settle_refused) {
            remember_refusal(ctx, result.reason);
        }
    }
}

void on_settled(void *data, const PaymentStep &next, SettlementResult &result)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    if (is_on_its_way(next)) {
        adopt(*ctx, next);
        return;
    }
    ctx->settlement = nullptr;
    resume_request(ctx->r, [&] { on_settled_first(*ctx, next, result); });
}

}  // namespace

void set_settle_time(RequestCtx &ctx, bool distrusted)
{
    SettleTime &when = ctx.payment->settles;
    when = ctx.quote.dialect->settle_time(
        ctx.payment->option->requirements,
        written_settle_time(ctx.quote.conf->settle));
    if (when == SettleTime::off) {
        return;
    }
    ctx.tunnel = asks_for_tunnel(ctx.r);
    // Money: under upto the cost is not known before content. A payer that is
    // not trusted is refused after verify.
    distrusted = distrusted && !ctx.payment->scheme.upto;
    if (when == SettleTime::after && (ctx.tunnel || distrusted)) {
        when = SettleTime::before;
    }
}

bool is_distrusted(const RequestCtx &ctx, Worker &worker)
{
    return ctx.payment->settles == SettleTime::after
           && !ctx.payment->scheme.upto
           && LockedClaims(worker.zone)
                  ->settles_first(ctx.payment->facts.payer, ngx_time());
}

void record_settlement(RequestCtx &ctx, SettlementResult &result)
{
    ctx.trace.settle_time = result.time;
    ctx.asked = result.asked;
    ctx.trace.transaction = std::move(result.transaction);
    ctx.trace.settle_body = std::move(result.body);
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
    terms.hold = payment.hold;
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
    if (result.delivered_elsewhere) {
        return challenge_answer(kPaymentAlreadyUsed.word);
    }
    switch (result.event) {
    case PaymentEvent::settle_refused: {
        OwnReply answer = challenge_answer(result.reason);
        answer.status = 402;
        answer.receipt = result.receipt;
        return answer;
    }
    case PaymentEvent::settle_not_processed:
        if (result.unwritten_in_doubt) {
            return cap_retry(ctx, unknown_answer());
        }
        if (result.unwritten) {
            return cap_retry(ctx, busy_answer(kRetryStore));
        }
        return result.verdict == SettleVerdict::rate_limited
                   ? cap_retry(ctx, busy_answer(kRetryFacilitator))
                   : fault_answer(kFacilitatorFailed);
    default:
        break;
    }
    return cap_retry(ctx, unknown_answer(result.unproven_refused
                                             ? kSettlementUnproven
                                             : kSettlementUnknown));
}

void settle_first(RequestCtx &ctx, Worker &worker, Endpoint &endpoint,
                  SettlementTerms terms)
{
    ctx.asked = &endpoint.conf();
    // A claim of unknown outcome is never settled at another facilitator.
    if (!terms.ever_unknown) {
        terms.others = others_to_settle(ctx, worker);
    }
    ctx.settlement =
        Settlement::start(worker, endpoint, std::move(terms), ctx.state(),
                          std::move(ctx.slot), on_settled, &ctx);
}

}  // namespace x402
