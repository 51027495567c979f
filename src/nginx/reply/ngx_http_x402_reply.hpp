// SPDX-License-Identifier: Apache-2.0
// The module's own answers: the 402 with its offer, refusals, faults as JSON.
#ifndef NGX_HTTP_X402_REPLY_HPP
#define NGX_HTTP_X402_REPLY_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Adds a response header; nullptr: no memory. Lifetime of the name: static.
ngx_table_elt_t *add_header(ngx_http_request_t *r, std::string_view name,
                            std::string_view value);
// The same without a copy of the value, which lives as long as the request.
ngx_table_elt_t *add_constant_header(ngx_http_request_t *r,
                                     std::string_view name,
                                     std::string_view value);

// The receipt of a paid answer, and the headers for caches.
bool add_paid_headers(RequestCtx &ctx);

// Headers of the module's own answer, in addition to headers_out as it is.
bool add_answer_headers(RequestCtx &ctx, const OwnReply &answer);

// From a phase handler: the operator's error_page if there is one for the
// status, else the module's headers and body. Returns what the handler returns.
ngx_int_t send_answer(RequestCtx &ctx, const OwnReply &answer);

// Retry-After of the answers that ask the client to come back, in seconds: how
// long the obstacle usually lasts.
constexpr ngx_uint_t kRetryInFlight = 1;     // another payment is about to end
constexpr ngx_uint_t kRetryFacilitator = 2;  // it limits calls, or is to answer
constexpr ngx_uint_t kRetryStore = 5;        // zone or journal has no room
constexpr ngx_uint_t kRetryUnknown = 5;  // the outcome of a settlement is open
constexpr ngx_uint_t kRetryPayer = 5;    // the payer is not trusted for now

// Answers of fixed meaning.
OwnReply challenge_answer(std::string error);
// The same for an invalid payment: with the status of x402_refuse_status.
OwnReply invalid_answer(const RequestCtx &ctx, std::string error);
// For a request without a payment, in the operator's words. Precondition: the
// quote has been made.
OwnReply unpaid_answer();
// Where a signature is asked for, and no money (x402_sign_in only).
inline OwnReply unsigned_answer(const RequestCtx &ctx)
{
    OwnReply answer = unpaid_answer();
    if (ctx.quote.unpaid_error.empty()) {
        answer.offer_error = kSignInRequired.word;
    }
    return answer;
}
// The same for a payment header that cannot be read, under
// x402_malformed_status; `error` says what is wrong with it.
OwnReply unreadable_answer(const RequestCtx &ctx, std::string error);
// 503: no offer can be made before the facilitator has answered.
OwnReply unready_answer();
// 503 with one of the kRetry... above.
OwnReply busy_answer(ngx_uint_t retry_after);
OwnReply in_use_answer();
OwnReply unknown_answer(const RefusalWord &word = kSettlementUnknown);
// With the status of the word, and nothing charged.
OwnReply fault_answer(const RefusalWord &word);

}  // namespace x402

#endif
