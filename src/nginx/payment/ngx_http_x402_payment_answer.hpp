// SPDX-License-Identifier: Apache-2.0
// Answers to payments that end without content in the access phase: they are
// left in ctx.answer, and the access handler sends them.
#ifndef NGX_HTTP_X402_PAYMENT_ANSWER_HPP
#define NGX_HTTP_X402_PAYMENT_ANSWER_HPP

#include "nginx/request/ngx_http_x402_payment_headers.hpp"

namespace x402 {

// Answers without a call to the facilitator: nothing is taken.
void decide(RequestCtx &ctx, OwnReply answer);
// The same, as a 402 with a fresh offer.
void challenge(RequestCtx &ctx, std::string error);
// Like challenge(), for a payment that is invalid and not just spent: with the
// status of x402_refuse_status.
void refuse_payment(RequestCtx &ctx, std::string error);
// Answers after the facilitator was asked: `event` ends the payment.
void end_payment(RequestCtx &ctx, PaymentEvent event, OwnReply answer);

// The answer, with its Retry-After limited to the time for which the payment
// stays valid. Tokens do not say how long that is.
OwnReply cap_retry(const RequestCtx &ctx, OwnReply answer);

// Nothing that could be decoded: no payment, more than one, or one in the
// header of another version.
OwnReply unusable_answer(const RequestCtx &ctx, const ChosenPayment &payment);

}  // namespace x402

#endif
