// SPDX-License-Identifier: Apache-2.0
#include "nginx/reply/ngx_http_x402_reply.hpp"

#include "base/json_text.hpp"
#include "nginx/reply/ngx_http_x402_answer_body.hpp"
#include "nginx/reply/ngx_http_x402_notify.hpp"
#include "nginx/request/ngx_http_x402_mpp_request.hpp"
#include "nginx/request/ngx_http_x402_pass.hpp"
#include "nginx/request/ngx_http_x402_sign_in.hpp"
#include "nginx/request/ngx_http_x402_signed_offers.hpp"
#include "protocol/payment_header_names.hpp"

namespace x402 {

namespace {

constexpr std::string_view kVary = "PAYMENT-SIGNATURE, X-PAYMENT, Accept";

bool record_own_header(RequestCtx &ctx, ngx_table_elt_t *header)
{
    constexpr std::size_t kRoom = sizeof(ctx.own_headers) / sizeof(header);
    if (header == nullptr) {
        return false;
    }
    if (ctx.own_header_count < kRoom) {
        ctx.own_headers[ctx.own_header_count++] = header;
    }
    return true;
}

bool add_own_header(RequestCtx &ctx, std::string_view name,
                    std::string_view value)
{
    return record_own_header(ctx, add_header(ctx.r, name, value));
}

// For requests without a payment the offer differs in its URL only.
bool add_prepared_offers(RequestCtx &ctx, const PreparedOffers &prepared)
{
    std::string scratch;
    std::string_view url = inside_json_string(ctx.quote.resource_url, scratch);
    for (std::size_t i = 0; i < prepared.headers.size(); i++) {
        const auto &header = prepared.headers[i];
        if (!header) {
            continue;
        }
        std::size_t length = header->length(url);
        auto *value = static_cast<char *>(ngx_pnalloc(ctx.r->pool, length));
        if (value == nullptr) {
            return false;
        }
        header->write(value, url);
        std::string_view name = ctx.quote.location->dialects[i]->offer_header();
        if (!record_own_header(
                ctx, add_constant_header(ctx.r, name, {value, length}))) {
            return false;
        }
    }
    return true;
}

// `member` into a JSON object that may not be there yet.
void add_extension(std::string &object, const std::string &member)
{
    if (!member.empty()) {
        object = object.empty() ? "{" : object.substr(0, object.size() - 1);
        object += (object.size() > 1 ? "," : "") + member + "}";
    }
}

// In every dialect of the location that puts its offer into a header.
bool add_offers(RequestCtx &ctx, const OwnReply &answer)
{
    const PreparedOffers *prepared = prepared_offers(ctx, answer);
    if (prepared != nullptr
        && (!prepared->headers_vary
            || view(ctx.r->method_name) == kPreparedMethod)) {
        return add_prepared_offers(ctx, *prepared);
    }
    ResourceInfo resource = resource_info(ctx);
    Challenge challenge = challenge_of(ctx, answer, resource);
    std::string extensions = extensions_of_offer(ctx);
    if (ctx.quote.conf->sign_in) {
        add_extension(extensions, sign_in_member(ctx));
    }
    challenge.extensions_json = extensions;
    MppRoom room;
    auto server = mpp_challenger(ctx, room);
    challenge.mpp = server ? &*server : nullptr;
    for (const Dialect *dialect : ctx.quote.location->dialects) {
        std::string_view name = dialect->offer_header();
        std::string value =
            name.empty() ? std::string() : dialect->offer_value(challenge);
        if (!value.empty() && !add_own_header(ctx, name, value)) {
            return false;
        }
    }
    return true;
}

bool has_error_page(ngx_http_request_t *r, ngx_uint_t status)
{
    auto *clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_get_module_loc_conf(r, ngx_http_core_module));
    // nginx: one error page per request, unless they are recursive.
    if (clcf->error_pages == nullptr
        || (r->error_page && !clcf->recursive_error_pages)) {
        return false;
    }
    auto *pages = static_cast<ngx_http_err_page_t *>(clcf->error_pages->elts);
    for (ngx_uint_t i = 0; i < clcf->error_pages->nelts; i++) {
        if (pages[i].status == static_cast<ngx_int_t>(status)) {
            return true;
        }
    }
    return false;
}

// Under `satisfy any` an authentication module may have asked for a password
// before; this answer asks for a payment.
void hide_authenticate(ngx_http_request_t *r)
{
    ngx_table_elt_t *header = r->headers_out.www_authenticate;
#if (nginx_version >= 1023000)
    for (; header; header = header->next) {
        header->hash = 0;
    }
#else
    if (header) {
        header->hash = 0;
    }
#endif
}

// What variables say about the module's first answer; what follows it (its
// error page with a price of its own) does not change what happened.
void record_reply(RequestCtx &ctx, const OwnReply &answer)
{
    if (ctx.trace.reply != ReplyKind::none) {
        return;
    }
    if (ctx.payment) {
        notify(ctx, NotifyEvent::failure);
    }
    if (!answer.offer) {
        // Only after a settlement of unknown outcome it is unknown what was
        // charged.
        std::string_view charged = answer.charged ? answer.charged : "";
        bool known = charged == "false" || charged == "true";
        ctx.trace.reply = known ? ReplyKind::fault : ReplyKind::unknown;
        if (answer.refusal) {
            ctx.trace.reply = ReplyKind::refusal;
        }
        ctx.trace.reason = answer.word ? answer.word : "";
        return;
    }
    bool unpaid = answer.unpaid
                  || (!ctx.payment && answer.offer_error == kPaymentRequired);
    ctx.trace.reply = unpaid ? ReplyKind::challenge : ReplyKind::refusal;
    if (!unpaid || answer.unpaid) {
        ctx.trace.reason = answer.offer_error;
    }
}

bool add_pass(RequestCtx &ctx)
{
    IssuedPass pass;
    return issue_pass(ctx, pass)
           && (pass.header.empty()
               || add_own_header(ctx, kPassHeader, pass.header))
           && (pass.cookie.empty()
               || add_header(ctx.r, "Set-Cookie", pass.cookie));
}

ngx_int_t send_own_body(RequestCtx &ctx, const OwnReply &answer)
{
    ngx_http_request_t *r = ctx.r;
    AnswerBody body;
    ngx_chain_t *out = nullptr;
    if (!choose_answer_body(ctx, answer, body)
        || (out = body_chain(r, body)) == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    // No "100 Continue" for a request that is refused; its body is read and
    // dropped, or the connection closed, but never taken for another request.
    r->expect_tested = 1;
    ngx_int_t rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        r->keepalive = 0;
        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            return rc;
        }
    }

    set_body_headers(r, body);
    r->headers_out.status = answer.status;
    ngx_http_clear_accept_ranges(r);

    // Filters that check or change content do not see it.
    ctx.hold.to_wire = true;
    ctx.hold.own_length = static_cast<off_t>(body.text.len);
    rc = ngx_http_send_header(r);
    if (rc == NGX_OK && !r->header_only) {
        rc = ngx_http_output_filter(r, out);
    }
    ngx_http_finalize_request(r, rc);
    return NGX_DONE;
}

}  // namespace

ngx_table_elt_t *add_header(ngx_http_request_t *r, std::string_view name,
                            std::string_view value)
{
    ngx_str_t copied = pool_copy(r->pool, value);
    return copied.data ? add_constant_header(r, name, view(copied)) : nullptr;
}

ngx_table_elt_t *add_constant_header(ngx_http_request_t *r,
                                     std::string_view name,
                                     std::string_view value)
{
    auto *header =
        static_cast<ngx_table_elt_t *>(ngx_list_push(&r->headers_out.headers));
    if (header == nullptr) {
        return nullptr;
    }
    ngx_memzero(header, sizeof(*header));
    header->hash = 1;
    header->key = to_ngx_str(name);
    header->value = to_ngx_str(value);
    return header;
}

// `receipt` is JSON of settlement_receipt.hpp; empty: none.
static bool add_receipt(RequestCtx &ctx, const std::string &receipt)
{
    if (receipt.empty()) {
        return true;
    }
    const Dialect &dialect = *ctx.quote.dialect;
    const ngx_time_t *now = ngx_timeofday();
    std::string room;
    std::string value = dialect.receipt_value(
        receipt_of_answer(ctx, receipt, room),
        std::int64_t{now->sec} * 1000 + static_cast<std::int64_t>(now->msec));
    return value.empty()
           || add_own_header(ctx, dialect.receipt_header(), value);
}

static bool add_vary(const RequestCtx &ctx)
{
    constexpr std::string_view kVaryOfMpp =
        "PAYMENT-SIGNATURE, X-PAYMENT, Authorization, Accept";
    bool mpp = ctx.quote.conf && ctx.quote.conf->mpp;
    return add_constant_header(ctx.r, "Vary", mpp ? kVaryOfMpp : kVary)
           != nullptr;
}

bool add_paid_headers(RequestCtx &ctx)
{
    ctx.cache_control = RequestCtx::CacheControl::paid;
    if (ctx.quote.conf->pass && !add_pass(ctx)) {
        return false;
    }
    if (ctx.quote.conf->sign_in) {
        remember_purchase(ctx);
    }
    return add_receipt(ctx, ctx.receipt) && add_vary(ctx);
}

bool add_answer_headers(RequestCtx &ctx, const OwnReply &answer)
{
    ctx.cache_control = RequestCtx::CacheControl::no_store;
    ctx.answered = true;
    record_reply(ctx, answer);
    hide_authenticate(ctx.r);
    if (answer.offer && !ctx.challenged && ctx.quote.offer) {
        ctx.challenged = true;
        if (!add_offers(ctx, answer)) {
            return false;
        }
    }
    if (!add_receipt(ctx, answer.receipt)) {
        return false;
    }
    if (answer.retry_after != 0
        && add_header(ctx.r, "Retry-After", std::to_string(answer.retry_after))
               == nullptr) {
        return false;
    }
    return add_vary(ctx);
}

ngx_int_t send_answer(RequestCtx &ctx, const OwnReply &answer)
{
    // nginx: of `error_page 404 =200 /page`; it would be the status of this.
    if (ctx.r->err_status < NGX_HTTP_BAD_REQUEST) {
        ctx.r->err_status = 0;
    }
    if (!add_answer_headers(ctx, answer)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (has_error_page(ctx.r, answer.status)) {
        // nginx discards the request body on its way there; "100 Continue"
        // must not be sent for it.
        ctx.r->expect_tested = 1;
        return static_cast<ngx_int_t>(answer.status);
    }
    return send_own_body(ctx, answer);
}

OwnReply challenge_answer(std::string error)
{
    OwnReply answer;
    // x402 requires 412 if the payer has to allow the transfer first.
    answer.status =
        error == kAllowanceRequired.word ? kAllowanceRequired.status : 402;
    answer.offer = true;
    answer.offer_error = std::move(error);
    return answer;
}

OwnReply invalid_answer(const RequestCtx &ctx, std::string error)
{
    OwnReply answer = challenge_answer(std::move(error));
    if (answer.status == 402) {
        answer.status = ctx.quote.conf->refuse_status;
    }
    return answer;
}

OwnReply unpaid_answer()
{
    OwnReply answer;
    answer.status = 402;
    answer.offer = true;
    answer.unpaid = true;
    return answer;
}

OwnReply unreadable_answer(const RequestCtx &ctx, std::string error)
{
    OwnReply answer = unpaid_answer();
    answer.status = ctx.quote.conf->malformed_status;
    answer.offer_error = std::move(error);
    return answer;
}

// The facilitator has not answered yet, and the offer needs its answer.
OwnReply unready_answer()
{
    OwnReply answer = fault_answer(kFacilitatorNotReady);
    answer.retry_after = kRetryFacilitator;
    return answer;
}

OwnReply fault_answer(const RefusalWord &word)
{
    OwnReply answer;
    answer.status = word.status;
    answer.word = word.word;
    answer.charged = "false";
    return answer;
}

OwnReply busy_answer(ngx_uint_t retry_after)
{
    OwnReply answer = fault_answer(kBusy);
    answer.retry_after = retry_after;
    return answer;
}

OwnReply in_use_answer()
{
    OwnReply answer = fault_answer(kPaymentInUse);
    answer.retry_after = kRetryInFlight;
    return answer;
}

OwnReply unknown_answer(const RefusalWord &word)
{
    OwnReply answer = fault_answer(word);
    answer.charged = "\"unknown\"";
    answer.retry_after = kRetryUnknown;
    return answer;
}

}  // namespace x402
