// SPDX-License-Identifier: Apache-2.0
#include "nginx/payment/ngx_http_x402_access.hpp"

#include <algorithm>

#include "nginx/core/ngx_http_x402_header_list.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/payment/ngx_http_x402_free_access.hpp"
#include "nginx/payment/ngx_http_x402_free_requests.hpp"
#include "nginx/payment/ngx_http_x402_payer_check.hpp"
#include "nginx/payment/ngx_http_x402_payment.hpp"
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"
#include "nginx/payment/ngx_http_x402_phase_wait.hpp"
#include "nginx/payment/ngx_http_x402_plan_token.hpp"
#include "nginx/payment/ngx_http_x402_shadow.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "nginx/request/ngx_http_x402_payment_headers.hpp"
#include "nginx/request/ngx_http_x402_quote.hpp"
#include "nginx/request/ngx_http_x402_request_body.hpp"

namespace x402 {

namespace {

bool is_offered(const PaymentRequirements &wanted, const PaymentOffer &offer)
{
    const auto &options = offer.options();
    return std::any_of(options.begin(), options.end(),
                       [&](const PaymentOffer::Option &option) {
                           return asks_for_the_same(option.requirements,
                                                    wanted);
                       });
}

// Equal payment options are one price, wherever they are written: what was
// paid is what this location asks for at this moment.
bool asks_for_what_was_paid(const RequestCtx &ctx, const LocationConf &conf)
{
    std::shared_ptr<const PaymentOffer> offer;
    if (conf.offer == nullptr
        || offer_now(ctx.r, conf, offer) != OfferState::made) {
        return false;
    }
    const PaymentOffer::Option *paid = ctx.payment->option;
    if (paid && is_offered(paid->requirements, *offer)) {
        return true;
    }
    if (paid && !ctx.quote.older_offer) {
        return false;
    }
    // An older claim, or an offer that a reload replaced, covers everything
    // that the first location asks for now.
    const auto &asked = ctx.quote.offer->options();
    return std::all_of(asked.begin(), asked.end(),
                       [&](const PaymentOffer::Option &option) {
                           return is_offered(option.requirements, *offer);
                       });
}

// An accepted payment also admits to this location if it makes the same offer
// or only inherits its price.
bool is_covered(const RequestCtx &ctx, const LocationConf *conf)
{
    return conf->offer == ctx.quote.location || !conf->price_in_location
           || asks_for_what_was_paid(ctx, *conf);
}

ngx_int_t refuse_other_price(RequestCtx &ctx)
{
    bool settled = ctx.state() == PaymentState::paid;
    advance(ctx, PaymentEvent::content_broken);
    ctx.accepted = false;  // a page for this answer includes nothing for it
    log_refusal(
        kOtherPrice, ctx.r->connection->log,
        std::string("a paid request was redirected into a location with a "
                    "different price and is refused, ")
            + (settled ? "its content owed" : "not charged")
            + ": give both locations the same price, network and "
              "address, or let the second one inherit them");
    ctx.answered = true;
    ctx.trace.reply = ReplyKind::fault;
    ctx.trace.reason = kOtherPrice.word;
    if (settled) {
        add_paid_headers(ctx);  // without memory the answer is the same
    }
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}

// Conditions ask for "not modified", which is not content that is sold.
constexpr std::string_view kConditions[] = {
    "if-none-match",
    "if-modified-since",
    "if-match",
    "if-unmodified-since",
};

// Content that says itself what it costs (x402_charge) has to be readable, and
// whole: a part of it says less. nginx: it cuts out what the client asked for,
// and its own gzip knows the header from elsewhere.
constexpr std::string_view kConditionsAndCoding[] = {
    "if-none-match",   "if-modified-since",
    "if-match",        "if-unmodified-since",
    "accept-encoding", "range",
    "if-range",
};

// nginx: an upstream whose answers are cached sets disable_not_modified again,
// so that the pointers by which nginx knows the headers have to go as well.
void forget_conditions(ngx_http_request_t *r)
{
    ngx_http_headers_in_t &in = r->headers_in;
    r->disable_not_modified = 1;
    in.if_none_match = in.if_modified_since = nullptr;
    in.if_match = in.if_unmodified_since = nullptr;
}

ngx_int_t admit(RequestCtx &ctx)
{
    ngx_http_request_t *r = ctx.r;
    ctx.accepted = true;
    forget_conditions(r);
    HeaderNames unwanted = ctx.quote.conf->charge
                               ? HeaderNames(kConditionsAndCoding)
                               : HeaderNames(kConditions);
    if (!unlink_headers(r->pool, r->headers_in.headers, unwanted)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return NGX_OK;
}

// Keeps watching the client's connection, so that it is noticed when the client
// leaves, also if it left right after its request.
ngx_int_t wait_for_call(ngx_http_request_t *r)
{
    ngx_event_t *read = r->connection->read;
    r->read_event_handler = ngx_http_test_reading;
    if (read->ready) {
        ngx_post_event(read, &ngx_posted_events);
    } else if (ngx_handle_read_event(read, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return NGX_AGAIN;
}

ngx_int_t after_step(RequestCtx &ctx)
{
    switch (ctx.state()) {
    case PaymentState::arrived:
        if (ctx.claim_wait_timer.timer_set) {
            return wait_for_call(ctx.r);
        }
        break;
    case PaymentState::taking:
    case PaymentState::verifying:
    case PaymentState::settling_first:
    case PaymentState::recording_first:
    case PaymentState::securing_first:
    case PaymentState::securing_verified:
        return wait_for_call(ctx.r);
    case PaymentState::verified:
    case PaymentState::paid:
        return admit(ctx);
    default:
        break;
    }
    if (ctx.answer.status != 0) {
        OwnReply answer = std::move(ctx.answer);
        ctx.answer = OwnReply();
        return send_answer(ctx, answer);
    }
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}

// What is wrong with the request, or with the configuration, before there is
// anything to pay.
ngx_int_t refuse_request(RequestCtx &ctx, const RefusalWord &word)
{
    advance(ctx, PaymentEvent::answered_without_call);
    return send_answer(ctx, fault_answer(word));
}

ngx_int_t refuse_body(RequestCtx &ctx)
{
    bool too_large = ctx.body_fault == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    if (too_large) {
        ctx.r->keepalive = 0;  // as nginx does: it is not worth reading
    }
    advance(ctx, PaymentEvent::answered_without_call);
    OwnReply answer =
        fault_answer(too_large ? kRequestBodyTooLarge : kRequestBodyInvalid);
    answer.status = ctx.body_fault;
    return send_answer(ctx, answer);
}

// The quote has been made.
ngx_int_t take_payment(RequestCtx &ctx)
{
    if (asks_signature_alone(*ctx.quote.conf)) {
        // Money: nothing is sold here, so that no payment is touched.
        advance(ctx, PaymentEvent::answered_without_call);
        return send_answer(ctx, unsigned_answer(ctx));
    }
    if (ctx.quote.dialect->uses_bearer_tokens()) {
        receive_token(ctx);
        return after_step(ctx);
    }
    ChosenPayment payment =
        chosen_payment(ctx.presented, ctx.quote.location->dialects);
    if (payment.dialect) {
        ctx.quote.dialect = payment.dialect;
    }
    if (!payment.usable()) {
        advance(ctx, PaymentEvent::answered_without_call);
        return send_answer(ctx, unusable_answer(ctx, payment));
    }
    receive_payment(ctx, view(payment.header->value));
    return after_step(ctx);
}

ngx_int_t begin_access(RequestCtx &ctx, const LocationConf *conf)
{
    ngx_http_request_t *r = ctx.r;
    if (ctx.claim_wait_timer.timer_set) {
        ngx_del_timer(&ctx.claim_wait_timer);
    }
    ctx.wait_slot = QuotaSlot();
    if (ctx.payment && ctx.claim_wait_until) {
        // Read before; only the claim has changed.
        continue_payment(ctx);
        return after_step(ctx);
    }
    if (conf->read_body != 0 && !ctx.body_read) {
        ngx_int_t rc = read_body(ctx, conf);
        if (rc != NGX_OK) {
            return rc;
        }
    }
    if (ctx.body_fault != 0) {
        return refuse_body(ctx);
    }
    if (conf->offer == nullptr) {
        log_line(NGX_LOG_CRIT, r->connection->log,
                 "this server has a price but no complete offer of its own; "
                 "write x402_network, x402_pay_to and x402_facilitator at the "
                 "server level, or serve this request by a location that does");
        return refuse_request(ctx, kNoOffer);
    }
    ngx_int_t rc = admit_free(ctx, conf);
    if (rc == NGX_AGAIN) {
        return wait_for_call(r);
    }
    if (rc != NGX_OK) {
        // Let in by name: a returning client, or by x402_free.
        return rc == NGX_DECLINED ? NGX_OK : rc;
    }
    switch (make_quote(ctx, conf)) {
    case OfferState::made:
        break;
    case OfferState::free:
        return NGX_DECLINED;
    case OfferState::waiting:
        if (wait_for_claim(ctx)) {
            return wait_for_call(r);
        }
        [[fallthrough]];
    case OfferState::unready:
        advance(ctx, PaymentEvent::answered_without_call);
        ctx.answer = unready_answer();
        return after_step(ctx);
    case OfferState::failed:
        return refuse_request(ctx, kNoOffer);
    }
    return take_payment(ctx);
}

// Returning clients, and what x402_free gives away, satisfy `satisfy any`; what
// is free by another rule does not.
bool is_let_in(ngx_http_request_t *r, const LocationConf *conf)
{
    RequestCtx *ctx = find_ctx(r);
    return ctx && ctx->free_at == conf
           && (ctx->returning || was_given_away(*ctx, *conf));
}

ngx_int_t access(ngx_http_request_t *r, const LocationConf *conf)
{
    if (r != r->main || r->post_action) {
        return NGX_DECLINED;
    }
    if (is_free(r, conf)) {
        return is_let_in(r, conf) ? NGX_OK : NGX_DECLINED;
    }
    if (r->err_status >= NGX_HTTP_BAD_REQUEST) {
        // An error page is not sold: a location with its own price is not
        // shown as one.
        return static_cast<ngx_int_t>(r->err_status);
    }
    RequestCtx *ctx = find_or_make_ctx(r);
    if (ctx == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->shadow = nullptr;  // it is asked for money after all
    switch (ctx->state()) {
    case PaymentState::arrived:
        return begin_access(*ctx, conf);
    case PaymentState::verified:
    case PaymentState::paid:
        if (!is_covered(*ctx, conf)) {
            return refuse_other_price(*ctx);
        }
        return payer_may_go_on(*ctx, *conf) ? admit(*ctx) : after_step(*ctx);
    case PaymentState::closed:
        if (ctx->answered) {
            // The error page of the module's own answer: shown if it is free,
            // never if it is content with a price of its own.
            if (!conf->price_in_location) {
                return NGX_DECLINED;
            }
            return send_answer(
                *ctx, asks_signature_alone(*conf)
                          ? unsigned_answer(*ctx)
                          : challenge_answer(std::string(kPaymentRequired)));
        }
        break;
    default:
        break;
    }
    return after_step(*ctx);
}

}  // namespace

ngx_int_t on_access(ngx_http_request_t *r)
{
    const LocationConf *conf = loc_conf(r);
    if (conf->shadow) {
        mark_shadow(r, conf);
        return NGX_DECLINED;
    }
    if (!conf->enabled) {
        return NGX_DECLINED;
    }
    return guarded(r->connection->log,
                   static_cast<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR),
                   [&] { return access(r, conf); });
}

}  // namespace x402
