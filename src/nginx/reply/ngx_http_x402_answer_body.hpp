// SPDX-License-Identifier: Apache-2.0
// The body of the module's own answers, and its type.
#ifndef NGX_HTTP_X402_ANSWER_BODY_HPP
#define NGX_HTTP_X402_ANSWER_BODY_HPP

#include "nginx/offer/ngx_http_x402_prepared_offers.hpp"
#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

struct AnswerBody {
    ngx_str_t text{};             // in the request's pool; never empty
    std::string_view type;        // lifetime: static, or the configuration's
    std::size_t type_length = 0;  // without parameters
};

// The challenge that the dialects write out, for an answer with an offer.
// Lifetime: the arguments'.
Challenge challenge_of(const RequestCtx &ctx, const OwnReply &answer,
                       const ResourceInfo &resource);

// What was prepared for the answer to a client that brought no payment;
// nullptr: nothing was, or this is another answer.
const PreparedOffers *prepared_offers(const RequestCtx &ctx,
                                      const OwnReply &answer);

// The JSON of a word, if the answer has one; "{}" for a 402, unless it carries
// an offer. A request without a usable payment gets the page for browsers, else
// the operator's words. False: no memory.
bool choose_answer_body(const RequestCtx &ctx, const OwnReply &answer,
                        AnswerBody &body);

// The body as the whole output. nullptr: no memory.
ngx_chain_t *body_chain(ngx_http_request_t *r, const AnswerBody &body);

// Content-Type and Content-Length.
void set_body_headers(ngx_http_request_t *r, const AnswerBody &body);

}  // namespace x402

#endif
