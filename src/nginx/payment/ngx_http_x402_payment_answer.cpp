// SPDX-License-Identifier: Apache-2.0
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"

#include "base/text_excerpt.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"

namespace x402 {

void decide(RequestCtx &ctx, OwnReply answer)
{
    advance(ctx, PaymentEvent::answered_without_call);
    ctx.answer = cap_retry(ctx, std::move(answer));
}

void challenge(RequestCtx &ctx, std::string error)
{
    log_line(NGX_LOG_INFO, ctx.r->connection->log,
             "payment refused: " + log_excerpt(error));
    decide(ctx, challenge_answer(std::move(error)));
}

void refuse_payment(RequestCtx &ctx, std::string error)
{
    challenge(ctx, error);
    ctx.answer = invalid_answer(ctx, std::move(error));
}

void end_payment(RequestCtx &ctx, PaymentEvent event, OwnReply answer)
{
    advance(ctx, event);
    ctx.answer = cap_retry(ctx, std::move(answer));
}

OwnReply unusable_answer(const RequestCtx &ctx, const ChosenPayment &payment)
{
    if (payment.header && payment.header->count > 1) {
        return unreadable_answer(ctx, std::string(kHeaderRepeated));
    }
    if (payment.two_protocols) {
        return unreadable_answer(
            ctx, "Payment in two protocols: send either a payment of x402 or "
                 "\"Authorization: Payment\", not both");
    }
    if (payment.header == nullptr && !ctx.presented.empty()) {
        OwnReply answer = unpaid_answer();
        answer.offer_error = wrong_header_error(
            ctx.presented.front().name, ctx.quote.dialect->payment_header());
        return answer;
    }
    OwnReply answer = unpaid_answer();
    if (ctx.returning_fault) {
        answer.offer_error = ctx.returning_fault->word;
    }
    return answer;
}

OwnReply cap_retry(const RequestCtx &ctx, OwnReply answer)
{
    if (answer.retry_after == 0 || !ctx.payment
        || ctx.quote.dialect->uses_bearer_tokens()) {
        return answer;
    }
    std::int64_t left = ctx.payment->valid_before - ngx_time();
    if (static_cast<std::int64_t>(answer.retry_after) > left) {
        answer.retry_after = left > 0 ? static_cast<ngx_uint_t>(left) : 0;
    }
    return answer;
}

}  // namespace x402
