// SPDX-License-Identifier: Apache-2.0
#include "nginx/payment/ngx_http_x402_shadow.hpp"

#include "facilitator/credit_answers.hpp"
#include "nginx/payment/ngx_http_x402_facilitator_peers.hpp"
#include "nginx/payment/ngx_http_x402_identifier.hpp"
#include "nginx/payment/ngx_http_x402_payment.hpp"
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"
#include "nginx/payment/ngx_http_x402_plan_token.hpp"
#include "nginx/reply/ngx_http_x402_cors.hpp"
#include "nginx/request/ngx_http_x402_ctx.hpp"
#include "nginx/request/ngx_http_x402_payment_headers.hpp"
#include "nginx/request/ngx_http_x402_quote.hpp"
#include "nginx/request/ngx_http_x402_request_body.hpp"
#include "nginx/request/ngx_http_x402_request_books.hpp"
#include "nginx/worker/ngx_http_x402_shadow_call.hpp"
#include "policy/settlement_override.hpp"

namespace x402 {

namespace {

void book(const RequestCtx &ctx, LedgerEventKind kind, std::string_view reason)
{
    EventWords words;
    words.reason = reason;
    book_shadow(shadow_books(ctx), kind, facts_of(ctx), words,
                ctx.quote.resource_url);
}

void refuse(const RequestCtx &ctx, std::string_view reason)
{
    book(ctx, LedgerEventKind::would_refuse, reason);
}

// As ctx.answer says.
void refuse(const RequestCtx &ctx)
{
    const OwnReply &answer = ctx.answer;
    if (answer.unpaid && answer.offer_error.empty()) {
        book(ctx, LedgerEventKind::would_challenge, {});
    } else {
        refuse(ctx, answer.word ? std::string_view(answer.word)
                                : std::string_view(answer.offer_error));
    }
}

// The reason why there is no offer at this moment; nullptr: there is one, or
// the request is free (ctx.quote.offer is not made).
const char *make_offer(RequestCtx &ctx, const LocationConf *conf)
{
    if (conf->read_body != 0) {
        ngx_int_t status = take_read_body(ctx, conf);
        if (status != NGX_OK) {
            return kRequestBodyInvalid.word;
        }
        if (ctx.body_missed) {
            return "request_body_not_read";
        }
        if (is_bypassed(ctx.r, conf)) {
            return nullptr;
        }
    }
    if (conf->offer == nullptr) {
        return "offer_failed";
    }
    switch (make_quote(ctx, conf)) {
    case OfferState::made:
    case OfferState::free:
        return nullptr;
    case OfferState::waiting:
    case OfferState::unready:
        return kFacilitatorNotReady.word;
    case OfferState::failed:
        break;
    }
    return "offer_failed";
}

// What a claim says about a payment that buys elsewhere; nullptr: nothing.
const char *validate_claim(RequestCtx &ctx, Worker &worker)
{
    switch (LockedClaims(worker.zone)
                ->look_up(ctx.payment->facts, ngx_time())
                .state) {
    case ClaimState::free:
    case ClaimState::refused:
        return nullptr;
    case ClaimState::verifying:
    case ClaimState::verified:
    case ClaimState::settling:
        return kPaymentInUse.word;
    case ClaimState::unknown:
        return kSettlementUnknown.word;
    default:
        break;
    }
    return kPaymentAlreadyUsed.word;
}

// Header to a payment that a facilitator can be asked about. False: booked.
bool read_presented(RequestCtx &ctx, Worker &worker)
{
    ChosenPayment chosen =
        chosen_payment(ctx.presented, ctx.quote.location->dialects);
    if (chosen.dialect) {
        ctx.quote.dialect = chosen.dialect;
    }
    if (!chosen.usable()) {
        ctx.answer = unusable_answer(ctx, chosen);
        refuse(ctx);
        return false;
    }
    if (!read_payment(ctx, view(chosen.header->value))) {
        refuse(ctx);
        return false;
    }
    if (const char *reason = validate_claim(ctx, worker)) {
        refuse(ctx, reason);
        return false;
    }
    if (!meets_offer(ctx, false) || !check_identifier(ctx, worker)) {
        refuse(ctx);
        return false;
    }
    return true;
}

// Scheme upto: what the upstream says the content has cost. False: booked.
bool take_cost(RequestCtx &ctx)
{
    const PaymentRequirements &asked = ctx.payment->option->requirements;
    if (asked.scheme != "upto") {
        return true;
    }
    record_overrides(ctx);
    const auto &stated = ctx.overrides;
    auto amount = settlement_amount(
        stated.empty() ? std::string() : stated.back(), stated.size(), asked);
    if (!amount) {
        refuse(ctx, kSettlementOverrideInvalid.word);
        return false;
    }
    ctx.payment->amount = std::move(amount.value());
    return true;
}

bool would_charge(const RequestCtx &ctx)
{
    ContentFacts facts = content_facts(ctx.r);
    facts.success_only = ctx.quote.dialect->uses_bearer_tokens();
    return ctx.payment->settles != SettleTime::after
           || charge_of(facts) == Charge::charged;
}

// Facilitators in the order in which a payment for sale would ask them, each
// with its request. Empty: booked.
bool choose_peers(RequestCtx &ctx, Worker &worker, ShadowTerms &terms)
{
    if (ctx.quote.dialect->uses_bearer_tokens()) {
        terms.peers.emplace_back(
            &worker.endpoint_of(*ctx.quote.conf->facilitator),
            ctx.payment->request_body);
        terms.read_answer = read_token_verify_answer;
        return true;
    }
    PeerChoice choice = choose_peer(ctx, worker);
    if (choice.endpoint == nullptr) {
        refuse(ctx);
        return false;
    }
    terms.peers.emplace_back(choice.endpoint, ctx.payment->request_body);
    for (const FacilitatorConf *other : ctx.payment->others) {
        build_request(ctx, *other);
        terms.peers.emplace_back(&worker.endpoint_of(*other),
                                 ctx.payment->request_body);
    }
    return true;
}

// An eighth of what is sold at once may be tried beside it.
bool has_room(const RequestCtx &ctx, const Worker &worker)
{
    return worker.shadow_calls.size() < ctx.quote.conf->max_calls / 8 + 1;
}

void observe(RequestCtx &ctx, const LocationConf *conf)
{
    ctx.presented = presented_payments(ctx.r->headers_in.headers, *conf);
    const char *reason = make_offer(ctx, conf);
    if (reason) {
        refuse(ctx, reason);
        return;
    }
    Worker *worker = worker_of(main_conf(ctx.r));
    if (ctx.quote.offer == nullptr || worker == nullptr) {
        return;
    }
    bool tokens = ctx.quote.dialect->uses_bearer_tokens();
    if (tokens && !read_token(ctx)) {
        refuse(ctx);
        return;
    }
    if (!tokens && !read_presented(ctx, *worker)) {
        return;
    }
    if (!has_room(ctx, *worker)) {
        refuse(ctx, kBusy.word);
        return;
    }
    ShadowTerms terms;
    if (!choose_peers(ctx, *worker, terms) || !take_cost(ctx)) {
        return;
    }
    terms.money = shadow_books(ctx);
    terms.money.facts = pack_facts(facts_of(ctx));
    terms.resource = ctx.quote.resource_url;
    terms.connect_timeout = ctx.quote.conf->connect_timeout;
    terms.timeout = ctx.quote.conf->verify_timeout;
    terms.charged = would_charge(ctx);
    ShadowCall::start(*worker, std::move(terms));
}

}  // namespace

void mark_shadow(ngx_http_request_t *r, const LocationConf *conf)
{
    guarded(r->connection->log, 0, [&] {
        if (r != r->main || r->post_action || is_free(r, conf)
            || is_preflight(r, *conf)
            || r->err_status >= NGX_HTTP_BAD_REQUEST) {
            return 0;
        }
        RequestCtx *ctx = find_or_make_ctx(r);
        if (ctx && ctx->shadow == nullptr
            && ctx->state() == PaymentState::arrived && !ctx->answered) {
            ctx->shadow = conf;
            ctx->label_number = conf->label_number;
            // nginx: an upstream would close the file of the body.
            r->preserve_body |= conf->read_body != 0;
        }
        return 0;
    });
}

ngx_int_t on_log(ngx_http_request_t *r)
{
    RequestCtx *ctx = r == r->main ? find_ctx(r) : nullptr;
    if (ctx == nullptr || ctx->shadow == nullptr
        || ctx->state() != PaymentState::arrived) {
        return NGX_OK;
    }
    guarded(r->connection->log, 0, [&] {
        observe(*ctx, ctx->shadow);
        return 0;
    });
    return NGX_OK;
}

}  // namespace x402
