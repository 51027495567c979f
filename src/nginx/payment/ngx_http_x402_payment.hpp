// SPDX-License-Identifier: Apache-2.0
// A presented payment, from its header to the claim and the first call.
#ifndef NGX_HTTP_X402_PAYMENT_HPP
#define NGX_HTTP_X402_PAYMENT_HPP

#include "nginx/payment/ngx_http_x402_facilitator_peers.hpp"
#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Steps the session; ctx.answer is set if there is one to send.
void receive_payment(RequestCtx &ctx, std::string_view header_value);
// The same for a payment that was read and waited for its claim.
void continue_payment(RequestCtx &ctx);

// Decodes the header into ctx.payment. False: ctx.answer says what is wrong.
bool read_payment(RequestCtx &ctx, std::string_view header_value);

// Sets the option that this payment pays, and the request that says so.
void set_option(RequestCtx &ctx, const PaymentOffer::Option &option);

// The body of verify and settle for this option, in payment->asked_version.
std::string request_of(const RequestCtx &ctx,
                       const PaymentOffer::Option &option);

// Scheme upto: settles this much of the option's maximum, in atomic units.
// False: the request could not be built.
bool set_amount(RequestCtx &ctx, const std::string &amount);

// The claim is the request's, on this machine and in the store: verifies the
// payment, or settles it first.
void ask_facilitator(RequestCtx &ctx, Worker &worker, const PeerChoice &peer);

// Calls this facilitator to verify the payment.
void verify_payment(RequestCtx &ctx, Endpoint &endpoint);

// What is known of a payment before any call. `distrusted`: this very
// payment was refused before. False: ctx.answer says what is wrong with it.
bool meets_offer(RequestCtx &ctx, bool distrusted);

}  // namespace x402

#endif
