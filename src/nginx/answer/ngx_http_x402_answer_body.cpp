#include "nginx/answer/ngx_http_x402_answer_body.hpp"

#include <algorithm>

#include "nginx/answer/ngx_http_x402_paywall.hpp"
#include "nginx/payment/ngx_http_x402_nevermined.hpp"

namespace x402 {

AnswerBody json_answer_body(const Answer &answer)
{
    std::string text = "{}";
    if (answer.word != nullptr) {
        text = std::string("{\"error\":\"") + answer.word + "\"";
        if (answer.charged) {
            text += std::string(",\"charged\":") + answer.charged;
        }
        text += "}";
    }
    return {std::move(text), "application/json"};
}

Challenge challenge_of(const RequestCtx &ctx, const Answer &answer,
                       const ResourceInfo &resource)
{
    bool stock = answer.unpaid && answer.offer_error.empty();
    Challenge challenge = {stock ? kPaymentRequired
                                 : std::string_view(answer.offer_error),
                           stock,
                           resource,
                           *ctx.offer,
                           {},
                           {}};
    if (ctx.payment && ctx.payment->payer_known) {
        challenge.payer = ctx.payment->payer;
    } else {
        challenge.payer = answer.payer;
    }
    std::vector<std::string_view> tokens = token_headers(*ctx.conf);
    if (!tokens.empty()) {
        challenge.token_header = tokens.front();
    }
    return challenge;
}

namespace {

// What the location's dialects put into the body of a 402; empty: nothing.
std::string offer_body(const RequestCtx &ctx, const Answer &answer)
{
    if (!answer.offer || !ctx.offer) {
        return {};
    }
    ResourceInfo resource = resource_info(ctx);
    Challenge challenge = challenge_of(ctx, answer, resource);
    for (const Dialect *dialect : ctx.location->dialects) {
        std::string body = dialect->offer_body(challenge);
        if (!body.empty()) {
            return body;
        }
    }
    return {};
}

}  // namespace

bool choose_answer_body(const RequestCtx &ctx, const Answer &answer,
                        AnswerBody &body)
{
    body = json_answer_body(answer);
    std::string offer = offer_body(ctx, answer);
    if (!offer.empty()) {
        body.text = std::move(offer);
    }
    if (!answer.unpaid || ctx.conf == nullptr) {
        return true;
    }
    std::string page;
    // What plans cost people read at their seller's.
    if (!bears_tokens(*ctx.conf) && paywall_for(ctx, page)) {
        body = {std::move(page), "text/html; charset=utf-8"};
        return true;
    }
    if (ctx.conf->unpaid_body == nullptr) {
        return true;
    }
    ngx_str_t text;
    if (ngx_http_complex_value(ctx.r, ctx.conf->unpaid_body, &text) != NGX_OK) {
        return false;
    }
    if (text.len != 0) {
        body = {copy(text), view(ctx.conf->unpaid_type)};
    }
    return true;
}

void set_body_headers(ngx_http_request_t *r, const AnswerBody &body)
{
    r->headers_out.content_type = borrowed(body.type);
    // nginx: the length without parameters is what filters compare by.
    auto end = std::find_if(body.type.begin(), body.type.end(), [](char byte) {
        return byte == ';' || byte == ' ' || byte == '\t';
    });
    r->headers_out.content_type_len =
        static_cast<std::size_t>(end - body.type.begin());
    r->headers_out.content_type_lowcase = nullptr;
    r->headers_out.content_length_n = static_cast<off_t>(body.text.size());
}

}  // namespace x402
