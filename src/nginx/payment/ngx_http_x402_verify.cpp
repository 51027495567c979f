// SPDX-License-Identifier: Apache-2.0
#include "nginx/payment/ngx_http_x402_verify.hpp"

#include "base/text_excerpt.hpp"
#include "facilitator/verify_answer.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/payment/ngx_http_x402_content_deadline.hpp"
#include "nginx/payment/ngx_http_x402_payer_check.hpp"
#include "nginx/payment/ngx_http_x402_phase_wait.hpp"
#include "policy/evm_payment_signature.hpp"
#include "session/payment_order.hpp"

namespace x402 {

namespace {

void log_refusal(const RequestCtx &ctx, const VerifyAnswer &answer)
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
            log_refusal(*ctx, answer);
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

}  // namespace x402
