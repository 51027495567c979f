// SPDX-License-Identifier: Apache-2.0
#include "nginx/payment/ngx_http_x402_verify.hpp"

#include "base/text_excerpt.hpp"
#include "facilitator/verify_answer.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/payment/ngx_http_x402_phase_wait.hpp"

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

}  // namespace x402
