// SPDX-License-Identifier: Apache-2.0
#include "nginx/reply/ngx_http_x402_answer_body.hpp"

#include "base/json_text.hpp"
#include "nginx/offer/ngx_http_x402_nevermined.hpp"
#include "nginx/reply/ngx_http_x402_paywall.hpp"
#include "policy/challenge_body.hpp"

namespace x402 {

namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kHtml = "text/html";
constexpr std::string_view kHtmlInUtf8 = "text/html; charset=utf-8";

// nginx: a charset filter writes into what it is given, so that constants have
// to be copied, too.
bool set_body(ngx_http_request_t *r, std::string_view text, AnswerBody &body)
{
    body.text = pool_copy(r->pool, text);
    return body.text.data != nullptr;
}

bool set_json(ngx_http_request_t *r, std::string_view text, AnswerBody &body)
{
    body.type = kJson;
    body.type_length = kJson.size();
    return set_body(r, text, body);
}

std::size_t length_without_parameters(std::string_view type)
{
    type = type.substr(0, type.find(';'));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) {
        type.remove_suffix(1);
    }
    return type.size();
}

bool json_answer_body(ngx_http_request_t *r, const OwnReply &answer,
                      AnswerBody &body)
{
    std::string text = std::string("{\"error\":\"") + answer.word + "\"";
    if (answer.charged) {
        text += std::string(",\"charged\":") + answer.charged;
    }
    text += "}";
    return set_json(r, text, body);
}

}  // namespace

// Empty: the usual word for an unpaid request, else none.
static std::string_view error_of(const RequestCtx &ctx, const OwnReply &answer)
{
    bool operators = answer.unpaid && answer.offer_error.empty();
    return operators ? ctx.quote.unpaid_error : answer.offer_error;
}

Challenge challenge_of(const RequestCtx &ctx, const OwnReply &answer,
                       const ResourceInfo &resource)
{
    std::string_view error = error_of(ctx, answer);
    bool stock = answer.unpaid && error.empty();
    Challenge challenge = {stock ? kPaymentRequired : error,
                           stock,
                           resource,
                           *ctx.quote.offer,
                           {},
                           {}};
    if (ctx.payment && ctx.payment->payer_known) {
        challenge.payer = ctx.payment->payer;
    } else {
        challenge.payer = answer.payer;
    }
    std::vector<std::string_view> tokens = token_headers(*ctx.quote.conf);
    if (!tokens.empty()) {
        challenge.token_header = tokens.front();
    }
    return challenge;
}

const PreparedOffers *prepared_offers(const RequestCtx &ctx,
                                      const OwnReply &answer)
{
    if (!answer.unpaid || !answer.offer_error.empty()) {
        return nullptr;
    }
    return ctx.quote.prepared ? &ctx.quote.prepared->offers
                              : ctx.quote.conf->prepared;
}

namespace {

// What the location's dialects put into the body of a 402, if anything.
bool challenge_body(const RequestCtx &ctx, const OwnReply &answer,
                    AnswerBody &body)
{
    if (answer.offer && ctx.quote.offer) {
        const PreparedOffers *prepared = prepared_offers(ctx, answer);
        if (prepared && prepared->body && answer.payer.empty()
            && view(ctx.r->method_name) == kPreparedMethod) {
            std::string room;
            std::string_view url =
                inside_json_string(ctx.quote.resource_url, room);
            return set_json(ctx.r, prepared->body->with(url), body);
        }
        for (const Dialect *dialect : ctx.quote.location->dialects) {
            if (dialect->offers_in_body()) {
                ResourceInfo resource = resource_info(ctx);
                Challenge challenge = challenge_of(ctx, answer, resource);
                return set_json(ctx.r, dialect->offer_body(challenge), body);
            }
        }
    }
    // Clients of version 1 read the ways to pay here, and fail where there is
    // not even an empty list.
    const LocationConf *conf = ctx.quote.conf;
    if (answer.unpaid && answer.offer_error.empty() && conf) {
        std::string_view prepared =
            ctx.quote.prepared ? std::string_view(ctx.quote.prepared->body)
                               : view(conf->prepared_body);
        if (!prepared.empty()) {
            return set_json(ctx.r, prepared, body);
        }
    }
    std::string_view error = error_of(ctx, answer);
    bool stock = answer.unpaid && error.empty();
    return set_json(
        ctx.r,
        challenge_body_json(
            stock ? kPaymentRequired : error,
            answer.offer ? ctx.quote.offer.get() : nullptr,
            ctx.quote.dialect ? ctx.quote.dialect->offer_header() : "",
            conf ? service_help(*conf) : ""),
        body);
}

}  // namespace

// To a client that presented a payment whose dialect has words of its own.
static bool refusal_body(const RequestCtx &ctx, const OwnReply &answer,
                         AnswerBody &body)
{
    if (!answer.offer || !ctx.quote.dialect || answer.offer_error.empty()
        || !ctx.quote.dialect->has_challenges() || ctx.presented.empty()) {
        return false;
    }
    constexpr std::string_view kProblem = "application/problem+json";
    std::string text = ctx.quote.dialect->refusal_body(
        answer.offer_error, static_cast<unsigned>(answer.status));
    body.type = kProblem;
    body.type_length = kProblem.size();
    return set_body(ctx.r, text, body);
}

bool choose_answer_body(const RequestCtx &ctx, const OwnReply &answer,
                        AnswerBody &body)
{
    ngx_http_request_t *r = ctx.r;
    if (refusal_body(ctx, answer, body)) {
        return true;
    }
    const LocationConf *conf = answer.unpaid ? ctx.quote.conf : nullptr;
    // People read the prices of plans at the seller's site.
    if (conf && conf->paywall && !uses_bearer_tokens(*conf)) {
        if (paywall_for(ctx, body.text)) {
            body.type = kHtmlInUtf8;
            body.type_length = kHtml.size();
            return body.text.data != nullptr;
        }
    }
    if (conf && conf->unpaid_body) {
        ngx_str_t text;
        if (ngx_http_complex_value(r, conf->unpaid_body, &text) != NGX_OK) {
            return false;
        }
        if (text.len != 0) {
            body.type = view(conf->unpaid_type);
            body.type_length = length_without_parameters(body.type);
            return set_body(r, view(text), body);
        }
    }
    return answer.word ? json_answer_body(r, answer, body)
                       : challenge_body(ctx, answer, body);
}

ngx_chain_t *body_chain(ngx_http_request_t *r, const AnswerBody &body)
{
    auto *buffer = static_cast<ngx_buf_t *>(ngx_calloc_buf(r->pool));
    ngx_chain_t *link = ngx_alloc_chain_link(r->pool);
    if (buffer == nullptr || link == nullptr) {
        return nullptr;
    }
    buffer->pos = body.text.data;
    buffer->last = body.text.data + body.text.len;
    buffer->memory = 1;
    buffer->last_buf = r == r->main;
    buffer->last_in_chain = 1;
    link->buf = buffer;
    link->next = nullptr;
    return link;
}

void set_body_headers(ngx_http_request_t *r, const AnswerBody &body)
{
    r->headers_out.content_type = to_ngx_str(body.type);
    // nginx: what filters compare by.
    r->headers_out.content_type_len = body.type_length;
    r->headers_out.content_type_lowcase = nullptr;
    r->headers_out.content_length_n = static_cast<off_t>(body.text.len);
}

}  // namespace x402
