// What an answer of ours says in its body, and in which type.
#ifndef NGX_HTTP_X402_ANSWER_BODY_HPP
#define NGX_HTTP_X402_ANSWER_BODY_HPP

#include "nginx/ngx_http_x402_ctx.hpp"

namespace x402 {

struct AnswerBody {
    std::string text;       // never empty
    std::string_view type;  // lifetime: static, or the configuration's
};

// What the dialects are told of an answer that carries an offer. Lifetime: the
// arguments'.
Challenge challenge_of(const RequestCtx &ctx, const Answer &answer,
                       const ResourceInfo &resource);

// The JSON of an answer; "{}" for a 402.
AnswerBody json_answer_body(const Answer &answer);

// The same, or for who brought no usable payment: the page for browsers, else
// the operator's words. False: no memory.
bool choose_answer_body(const RequestCtx &ctx, const Answer &answer,
                        AnswerBody &body);

// Content-Type and Content-Length.
void set_body_headers(ngx_http_request_t *r, const AnswerBody &body);

}  // namespace x402

#endif
