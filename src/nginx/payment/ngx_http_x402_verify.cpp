// SPDX-License-Identifier: Apache-2.0
#include "nginx/payment/ngx_http_x402_verify.hpp"

#include "base/text_excerpt.hpp"
#include "facilitator/verify_answer.hpp"
#include "nginx/books/ngx_http_x402_money_books.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/payment/ngx_http_x402_claim_takeover.hpp"
#include "nginx/payment/ngx_http_x402_content_deadline.hpp"
#include "nginx/payment/ngx_http_x402_identifier.hpp"
#include "nginx/payment/ngx_http_x402_payer_check.hpp"
#include "nginx/payment/ngx_http_x402_payer_claims.hpp"
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"
#include "nginx/payment/ngx_http_x402_payment_settlement.hpp"
#include "nginx/payment/ngx_http_x402_phase_wait.hpp"
#include "nginx/payment/ngx_http_x402_store_wait.hpp"
#include "nginx/reply/ngx_http_x402_notify.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "policy/evm_payment_signature.hpp"
#include "session/payment_order.hpp"

namespace x402 {

namespace {

void log_rejection(const RequestCtx &ctx, const VerifyAnswer &answer)
{
    const VerifyRules &rules = *ctx.verify_rules;
    if (answer.verdict == VerifyVerdict::invalid) {
        log_line(NGX_LOG_INFO, ctx.r->connection->log,
                 std::string("the facilitator rejected the ") + rules.thing
                     + ": " + log_excerpt(answer.reason));
        return;
    }
    bool operator_fault = answer.verdict == VerifyVerdict::operator_fault;
    log_line(operator_fault ? NGX_LOG_CRIT : NGX_LOG_ERR,
             ctx.r->connection->log,
             "verify at facilitator \"" + ctx.asked->url.base() + "\" failed: "
                 + answer.detail + (operator_fault ? rules.advice : ""));
}

void on_verified(void *data, FacilitatorReply &reply)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    const VerifyRules &rules = *ctx->verify_rules;
    ctx->verify = nullptr;
    ctx->trace.verify_time = ngx_current_msec - ctx->trace.verify_started;
    VerifyAnswer answer;
    guarded(ctx->r->connection->log, 0, [&] {
        answer = rules.read(*ctx, reply);
        return 0;
    });
    if (rules.moves(*ctx, reply, answer)) {
        return;
    }
    resume_request(ctx->r, [&] {
        if (answer.verdict != VerifyVerdict::valid) {
            log_rejection(*ctx, answer);
            rules.refuse(*ctx, answer);
            return;
        }
        ctx->trace.verify_body = std::move(reply.body);
        ctx->payment->payer_known = true;
        if (!answer.payer.empty()) {
            ctx->payment->payer = answer.payer;
        }
        rules.accept(*ctx);
    });
}

static_assert(static_cast<ngx_uint_t>(VerifyMode::trusted)
                      == NGX_HTTP_X402_VERIFY_TRUSTED
                  && static_cast<ngx_uint_t>(VerifyMode::off)
                         == NGX_HTTP_X402_VERIFY_OFF,
              "the words of x402_verify are in the order of VerifyMode");

bool may_serve(RequestCtx &ctx, Worker &worker)
{
    const Payment &payment = *ctx.payment;
    auto mode = static_cast<VerifyMode>(ctx.quote.conf->verify);
    // Rules about payers need to know the payer.
    if (mode == VerifyMode::remote || payment.settles != SettleTime::after
        || has_payer_rules(*ctx.quote.conf)
        || !may_serve_unverified(*LockedClaims(worker.zone), payment.facts,
                                 payment.name.has_value(), mode, ngx_time())) {
        return false;
    }
    return mode == VerifyMode::off
           || is_signed_by_payer(payment.payload.payload(), payment.scheme,
                                 payment.option->requirements);
}

// The content may be made now; nothing is going to be settled.
void open_for_good(RequestCtx &ctx)
{
    ctx.settled_first = true;
    ctx.never_settled = true;
    log_payment(ctx, "verified, not settled");
}

// The record of it is on the disk, or cannot be brought there.
void on_secured(void *data, bool good)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    resume_request(ctx->r, [&] {
        if (!good) {
            ctx->receipt.clear();
            end_payment(*ctx, PaymentEvent::verify_failed,
                        busy_answer(kRetryStore));
            return;
        }
        open_for_good(*ctx);
        advance(*ctx, PaymentEvent::recorded);
        ctx->slot = Slot();
    });
}

// Nothing is settled here: the facilitator's word is all the proof there is.
void accept_for_good(RequestCtx &ctx, Worker &worker)
{
    const Payment &payment = *ctx.payment;
    std::string receipt = ctx.quote.dialect->receipt_of_verified(
        payment.payer, payment.receipt_network);
    bool recorded;
    {
        LockedClaims claims(worker.zone);
        claims->set_paid(payment.claim, receipt, ngx_time());
        recorded = !claims->journal().failed();
    }
    if (!recorded) {
        // Money: after a restart the payment would buy once more.
        end_payment(ctx, PaymentEvent::verify_failed, busy_answer(kRetryStore));
        return;
    }
    ctx.receipt = std::move(receipt);
    if (worker.sync) {
        advance(ctx, PaymentEvent::verify_final);
        ctx.disk.begin(*worker.sync, on_secured, &ctx);
        return;
    }
    open_for_good(ctx);
    advance(ctx, PaymentEvent::verify_final);
    ctx.slot = Slot();  // nothing is settled
}

// Money: a slow request body or slow content costs its payer nothing before it
// is complete; so a payer, or an address, that has many such payments pays for
// the next ones before content.
bool may_wait(RequestCtx &ctx)
{
    if (ctx.settled_before) {
        return false;
    }
    if (!ctx.slot.wait_for_content(client_name(ctx.r->connection),
                                   ctx.payment->facts.payer,
                                   ctx.quote.conf->max_calls, true)) {
        log_line(NGX_LOG_INFO, ctx.r->connection->log,
                 "too many verified payments wait for their content, in all or "
                 "of this payer or its address (see "
                 "x402_facilitator_max_calls): this one is settled first");
        return false;
    }
    return true;
}

}  // namespace

void begin_verify(RequestCtx &ctx, Endpoint &endpoint, const VerifyRules &rules)
{
    CallTerms call;
    call.operation = Operation::verify;
    call.body = ctx.payment->request_body;
    call.connect_timeout = ctx.quote.conf->connect_timeout;
    call.timeout = ctx.quote.conf->verify_timeout;
    ctx.asked = &endpoint.conf();
    ctx.verify_rules = &rules;
    ctx.trace.verify_started = ngx_current_msec;
    ctx.verify =
        FacilitatorCall::start(endpoint, std::move(call), on_verified, &ctx);
}

bool serve_unverified(RequestCtx &ctx, Worker &worker, Endpoint &endpoint)
{
    if (!may_serve(ctx, worker)) {
        return false;
    }
    // The place in the client's share of unverified payments stays in use. No
    // payer has a share: anyone could use that of another.
    const Digest &no_payer = ctx.payment->facts.key;
    if (!ctx.slot.wait_for_content(client_name(ctx.r->connection), no_payer,
                                   ctx.quote.conf->max_calls, false)) {
        return false;
    }
    bool on_record = ctx.quote.conf->verify == NGX_HTTP_X402_VERIFY_TRUSTED;
    if (!LockedClaims(worker.zone)
             ->set_served_unverified(ctx.payment->claim, on_record)) {
        return false;
    }
    ctx.asked = &endpoint.conf();
    advance(ctx, PaymentEvent::claim_taken_to_serve);
    arm_content_deadline(ctx);
    return true;
}

void accept_valid_payment(RequestCtx &ctx)
{
    Worker &worker = *worker_of(main_conf(ctx.r));
    ctx.slot.prove();
    ctx.payment->verified = true;
    if (ctx.payment->disputed_claim) {
        if (payer_may_buy(ctx)) {
            settle_disputed_claim(ctx, worker);
        }
        return;
    }
    if (worker.store && ask_store_for_older(ctx, worker)) {
        return;
    }
    if (adopt_older_claim(ctx, worker) || !payer_may_buy(ctx)) {
        return;
    }
    if (!record_identifier(ctx)) {
        advance(ctx, PaymentEvent::verify_failed);
        return;
    }
    if (!ask_store_for_name(ctx)) {
        accept_named_payment(ctx);
    }
}

void accept_named_payment(RequestCtx &ctx)
{
    Worker &worker = *worker_of(main_conf(ctx.r));
    notify(ctx, NotifyEvent::verify);
    if (ctx.payment->settles == SettleTime::off) {
        accept_for_good(ctx, worker);
        return;
    }
    bool waits = may_wait(ctx);
    bool trusted = LockedClaims(worker.zone)->set_verified(ctx.payment->claim);
    PaymentEvent event = verified_event(trusted && waits, ctx.settled_before,
                                        ctx.payment->scheme.upto);
    if (event == PaymentEvent::verify_failed) {
        end_payment(ctx, event, busy_answer(kRetryPayer));
        return;
    }
    advance(ctx, event);
    if (event == PaymentEvent::verify_valid) {
        arm_content_deadline(ctx);
        return;
    }
    ctx.settled_before = true;
    SettlementTerms terms = settlement_terms(ctx);
    terms.was_verified = true;
    settle_first(ctx, worker, worker.endpoint_of(*ctx.asked), std::move(terms));
}

}  // namespace x402
