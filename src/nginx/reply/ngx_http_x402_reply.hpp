// Answers of ours: the 402 with its offer, refusals and faults as JSON.
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

// The receipt of a paid answer and what caches have to know about it.
bool add_paid_headers(RequestCtx &ctx);

// Headers of an answer of ours, on top of headers_out as it is.
bool add_answer_headers(RequestCtx &ctx, const OwnReply &answer);

// From a phase handler: the operator's error_page where there is one for the
// status, else headers and body of ours. What it returns is the handler's.
ngx_int_t send_answer(RequestCtx &ctx, const OwnReply &answer);

// Answers of fixed meaning.
OwnReply challenge_answer(std::string error);
// The same for a payment that is no good: under x402_refuse_status.
OwnReply invalid_answer(const RequestCtx &ctx, std::string error);
// To a request without a payment, in the operator's words. The quote has been
// made.
OwnReply unpaid_answer();
// The same for a payment header that cannot be read, under
// x402_malformed_status; `error` says what is wrong with it.
OwnReply unreadable_answer(const RequestCtx &ctx, std::string error);
// 503: no offer can be made before the facilitator has been heard.
OwnReply unready_answer();
OwnReply busy_answer(ngx_uint_t retry_after);
OwnReply in_use_answer();
OwnReply unknown_answer();
OwnReply fault_answer(ngx_uint_t status, const char *word);

}  // namespace x402

#endif
