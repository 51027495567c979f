// SPDX-License-Identifier: Apache-2.0
// A location that is paid by opaque tokens (dialect nevermined). A token can be
// used by anyone who holds it, for many requests: the module does not look into
// it, keeps no claim for it, and never logs it.
#include "nginx/payment/ngx_http_x402_plan_token.hpp"

#include "base/text_excerpt.hpp"
#include "facilitator/credit_answers.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_extensions.hpp"
#include "nginx/offer/ngx_http_x402_nevermined.hpp"
#include "nginx/payment/ngx_http_x402_admission.hpp"
#include "nginx/payment/ngx_http_x402_content_deadline.hpp"
#include "nginx/payment/ngx_http_x402_payer_check.hpp"
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"
#include "nginx/payment/ngx_http_x402_verify.hpp"
#include "nginx/reply/ngx_http_x402_answer_body.hpp"
#include "nginx/reply/ngx_http_x402_notify.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMaxTokenBytes = 32 * 1024;

// The first of the location's headers that is not empty; nullptr: none.
const Presented *presented_token(const RequestCtx &ctx)
{
    for (std::string_view name : token_headers(*ctx.quote.conf)) {
        for (const Presented &header : ctx.presented) {
            if (header.name == name && header.value.len != 0) {
                return &header;
            }
        }
    }
    return nullptr;
}

// Why this cannot be a token, as a sentence; nullptr: it can.
const char *validate_token(const Presented &header)
{
    if (header.count != 1) {
        return "More than one x402 payment token was sent";
    }
    if (header.value.len > kMaxTokenBytes) {
        return "The x402 payment token is too long";
    }
    for (char byte : view(header.value)) {
        if (byte <= 0x20 || byte >= 0x7f) {
            return "The x402 payment token contains invalid characters";
        }
    }
    return nullptr;
}

std::string question(const RequestCtx &ctx, const std::string &agent_request)
{
    ResourceInfo resource = resource_info(ctx);
    Challenge challenge = challenge_of(ctx, {}, resource);
    std::string extensions = extensions_json(*ctx.quote.conf, ctx.r);
    challenge.extensions_json = extensions;
    return ctx.quote.dialect->token_request(
        {challenge, ctx.payment->payload.text, ctx.payment->amount,
         agent_request});
}

VerifyAnswer read_verdict(RequestCtx &, const FacilitatorReply &reply)
{
    return read_token_verify_answer(reply);
}

bool never_moves(RequestCtx &, const FacilitatorReply &, const VerifyAnswer &)
{
    return false;
}

void accept_token(RequestCtx &ctx)
{
    if (!payer_may_buy(ctx)) {
        return;
    }
    // The body of settle is the same; verify names the payer.
    ctx.payment->request_body =
        question(ctx, agent_request_of(ctx.trace.verify_body));
    notify(ctx, NotifyEvent::verify);
    if (ctx.quote.conf->settle == NGX_HTTP_X402_SETTLE_OFF) {
        // The token proves its plan, and its credits stay. There is no claim.
        ctx.settled_first = true;
        ctx.never_settled = true;
        advance(ctx, PaymentEvent::verify_final);
        ctx.slot = Slot();  // nothing is settled
        return;
    }
    advance(ctx, PaymentEvent::verify_valid);
    arm_content_deadline(ctx);
}

void refuse_token(RequestCtx &ctx, const VerifyAnswer &answer)
{
    end_payment(ctx, PaymentEvent::verify_invalid,
                challenge_answer(answer.reason));
}

constexpr VerifyRules kTokenRules = {
    read_verdict, never_moves, accept_token,
    refuse_token, "token",     "; check x402_nevermined and its key",
};

void take_token(RequestCtx &ctx, std::string_view token)
{
    const PaymentOffer::Option &option = ctx.quote.offer->options().front();
    ctx.payment = std::make_unique<Payment>();
    Payment &payment = *ctx.payment;
    payment.payload.text = std::string(token);
    payment.option = &option;
    payment.network = option.requirements.network;
    payment.receipt_network = option.requirements.network;
    payment.amount = option.requirements.amount;
    payment.asset = option.requirements.plan;
    payment.valid_before =
        ngx_time() + std::int64_t{option.requirements.max_timeout_seconds};
}

}  // namespace

bool read_token(RequestCtx &ctx)
{
    const Presented *header = presented_token(ctx);
    if (header == nullptr) {
        decide(ctx, unpaid_answer());
        return false;
    }
    if (const char *error = validate_token(*header)) {
        challenge(ctx, error);
        return false;
    }
    take_token(ctx, view(header->value));
    ctx.payment->request_body = question(ctx, {});
    return true;
}

void receive_token(RequestCtx &ctx)
{
    if (!read_token(ctx)) {
        return;
    }
    Worker *worker = worker_of(main_conf(ctx.r));
    if (worker == nullptr) {
        advance(ctx, PaymentEvent::answered_without_call);
        return;  // 500
    }
    Admission admission(ctx, *worker, AdmissionKind::token);
    if (!admission) {
        admission.refuse(ctx);
        return;
    }
    admission.begin(ctx);
    advance(ctx, PaymentEvent::claim_taken);
    Endpoint &endpoint = worker->endpoint_of(*ctx.quote.conf->facilitator);
    begin_verify(ctx, endpoint, kTokenRules);
}

}  // namespace x402
