// SPDX-License-Identifier: Apache-2.0
#include "nginx/filter/ngx_http_x402_hold.hpp"

#include "base/decimal_amount.hpp"
#include "base/text_excerpt.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/payment/ngx_http_x402_payment.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "nginx/request/ngx_http_x402_ctx.hpp"
#include "nginx/request/ngx_http_x402_payment_headers.hpp"
#include "nginx/request/ngx_http_x402_quote.hpp"
#include "policy/charge_rule.hpp"
#include "policy/settlement_override.hpp"

namespace x402 {

namespace {

// A 2xx that is about to leave a paid location although the request has not
// paid and the access phase was not passed: content made by the rewrite phase
// or by another access handler.
bool leaks(ngx_http_request_t *r, const LocationConf *conf,
           const RequestCtx *ctx)
{
    if (!conf->enabled || r->headers_out.status >= NGX_HTTP_SPECIAL_RESPONSE
        || is_free(r, conf) || r->post_action) {
        return false;
    }
    if (ctx == nullptr) {
        return true;
    }
    if (ctx->answered) {
        return conf->price_in_location;
    }
    return !ctx->passed || ctx->passed != conf->offer;
}

ngx_int_t refuse_unpaid_content(ngx_http_request_t *r, const LocationConf *conf)
{
    RequestCtx *ctx = find_or_make_ctx(r);
    // Money: with a call on the wire the payment is not over, and is given up
    // where the request ends.
    if (ctx == nullptr || conf->offer == nullptr || ctx->verify
        || ctx->settlement || ctx->disk.waits()) {
        return NGX_ERROR;
    }
    switch (make_quote(*ctx, conf)) {
    case OfferState::made:
        break;
    case OfferState::free:
        return write_header(r, ctx);
    default:
        return NGX_ERROR;
    }
    OwnReply answer = ctx->answered
                          ? challenge_answer(std::string(kPaymentRequired))
                          : unpaid_answer();
    if (asks_signature_alone(*conf)) {
        answer = unsigned_answer(*ctx);
    }
    advance(*ctx, PaymentEvent::answered_without_call);
    log_line(NGX_LOG_WARN, r->connection->log,
             "content made before the access phase (return, or another access "
             "module) was kept from an unpaid request; such content cannot be "
             "sold");
    return replace_response(*ctx, answer);
}

// The response passes: it is not charged.
ngx_int_t pass_free(RequestCtx &ctx)
{
    PaymentAction action = advance(ctx, PaymentEvent::content_free);
    if (action != PaymentAction::pass) {
        return NGX_ERROR;
    }
    if (ctx.hold.state == HoldState::held) {
        discard_held(ctx);
        return release_response(ctx);
    }
    return write_content_header(ctx);
}

// Money: a client that is told that it was not charged signs another payment.
// One that presented a new payment for what is owed to it was not charged.
OwnReply answer_of_settled(const RequestCtx &ctx, const RefusalWord &word)
{
    OwnReply answer = fault_answer(word);
    if (!ctx.payment->spared) {
        answer.charged = "true";
        answer.receipt = ctx.receipt;
    }
    return answer;
}

ngx_int_t refuse_upgrade(RequestCtx &ctx)
{
    bool settled = ctx.state() == PaymentState::paid;
    if (advance(ctx, PaymentEvent::content_broken) != PaymentAction::replace) {
        return NGX_ERROR;
    }
    log_refusal(
        kUpgradeNotServed, ctx.r->connection->log,
        "the upstream switched protocols in a paid location; not served");
    return replace_response(ctx, settled
                                     ? answer_of_settled(ctx, kUpgradeNotServed)
                                     : fault_answer(kUpgradeNotServed));
}

// Scheme upto: what the upstream says the content has cost (x402 v2, settlement
// overrides), in atomic units of this option.
Result<std::string> upstream_cost(RequestCtx &ctx,
                                  const PaymentRequirements &requirements)
{
    record_overrides(ctx);
    const std::vector<std::string> &stated = ctx.overrides;
    return settlement_amount(stated.empty() ? std::string() : stated.back(),
                             stated.size(), requirements);
}

// False: the upstream's value is invalid.
bool take_override(RequestCtx &ctx)
{
    const PaymentRequirements &requirements = ctx.payment->option->requirements;
    if (requirements.scheme != "upto") {
        return true;
    }
    auto amount = upstream_cost(ctx, requirements);
    if (!amount) {
        log_refusal(
            kSettlementOverrideInvalid, ctx.r->connection->log,
            "the upstream's Settlement-Overrides is invalid, nothing is "
            "charged: "
                + log_excerpt(amount.problem().text));
        return false;
    }
    begin_usage(ctx);
    return set_amount(ctx, amount.value());
}

// Money: content under an older claim of scheme upto costs what it costs now,
// and the claim covers at most what was paid.
bool costs_more_than_paid(RequestCtx &ctx)
{
    const Payment &payment = *ctx.payment;
    if (!payment.resumed || ctx.never_settled || payment.bought == nullptr
        || payment.bought->requirements.scheme != "upto") {
        return false;
    }
    auto cost = upstream_cost(ctx, payment.bought->requirements);
    if (ctx.quote.conf->charge && ctx.overrides.empty()) {
        // Known at its end alone, and it answers the request that was paid.
        return false;
    }
    auto units = cost ? atomic_amount_bytes(cost.value()) : std::nullopt;
    return !units || !pays_for(payment.bought_binding, *units);
}

ngx_int_t refuse_expensive_content(RequestCtx &ctx)
{
    if (advance(ctx, PaymentEvent::content_broken) != PaymentAction::replace) {
        return NGX_ERROR;
    }
    log_refusal(kOwedContentCostsMore, ctx.r->connection->log,
                "owed content now costs more than was paid for it and is not "
                "served; the payer has to buy it again");
    return replace_response(ctx, answer_of_settled(ctx, kOwedContentCostsMore));
}

// Money: another machine may deliver it. While the store is away none can know,
// and what was paid is not kept back.
bool may_be_delivered_elsewhere(const RequestCtx &ctx)
{
    const StoreHold *hold = ctx.payment->hold.get();
    return hold && !hold->over() && !hold->is_sure()
           && hold->store().nodes().ready(hold->claim().shard);
}

ngx_int_t leave_to_others(RequestCtx &ctx)
{
    if (advance(ctx, PaymentEvent::content_broken) != PaymentAction::replace) {
        return NGX_ERROR;
    }
    log_line(NGX_LOG_WARN, ctx.r->connection->log,
             "content that was paid for is not delivered here, because this "
             "machine stalled for longer than its lease and another one may "
             "deliver it; if this happens again, give the machine more "
             "processor time, or raise lease= of x402_store");
    OwnReply answer = in_use_answer();
    answer.charged = nullptr;
    return replace_response(ctx, answer);
}

ngx_int_t refuse_override(RequestCtx &ctx)
{
    if (advance(ctx, PaymentEvent::content_broken) != PaymentAction::replace) {
        return NGX_ERROR;
    }
    return replace_response(ctx, fault_answer(kSettlementOverrideInvalid));
}

// The first header of content that was verified but not settled.
ngx_int_t read_verified(RequestCtx &ctx)
{
    ngx_http_request_t *r = ctx.r;
    ContentFacts facts = content_facts(r);
    facts.success_only = ctx.quote.dialect->uses_bearer_tokens();
    switch (charge_of(facts)) {
    case Charge::free:
        return pass_free(ctx);
    case Charge::unservable:
        return refuse_upgrade(ctx);
    case Charge::charged:
        break;
    }
    if (!take_override(ctx)) {
        return refuse_override(ctx);
    }
    if (ctx.usage && ctx.quote.conf->stream && begin_stream(ctx)) {
        return write_content_header(ctx);
    }
    if (advance(ctx, PaymentEvent::content_charged) != PaymentAction::hold) {
        return NGX_ERROR;
    }
    begin_hold(ctx);
    if (ctx.usage) {
        extend_hold(ctx);
    }
    bool head = r->method == NGX_HTTP_HEAD;
    if (head && ctx.hold.made == 0) {
        // Core decides that later, below this filter; producers ask now. A
        // filter that sends the header late would take it for a failure.
        r->header_only = 1;
    }
    if (head || r->header_only || facts.status == NGX_HTTP_NO_CONTENT) {
        // There is no body that would show that the content is complete.
        ctx.hold.last_seen = true;
        settle(ctx);
    } else {
        arm_hold_timer(ctx);
    }
    return NGX_OK;
}

// The header of content under a settlement that came first.
ngx_int_t read_settled(RequestCtx &ctx)
{
    ContentFacts facts = content_facts(ctx.r);
    bool tunnel = ctx.tunnel && facts.status == NGX_HTTP_SWITCHING_PROTOCOLS;
    if (charge_of(facts) == Charge::unservable && !tunnel) {
        return refuse_upgrade(ctx);
    }
    if (is_delivery(facts, ctx.settled_before) && costs_more_than_paid(ctx)) {
        return refuse_expensive_content(ctx);
    }
    bool delivery = tunnel || is_delivery(facts, ctx.settled_before);
    if (delivery && may_be_delivered_elsewhere(ctx)) {
        return leave_to_others(ctx);
    }
    advance(ctx, delivery ? PaymentEvent::content_charged
                          : PaymentEvent::content_failed);
    if (ctx.r->method == NGX_HTTP_HEAD || tunnel) {
        // No body will pass the filters.
        ctx.hold.last_seen = true;
    }
    if (!add_paid_headers(ctx)) {
        return NGX_ERROR;
    }
    ngx_int_t rc = write_header(ctx.r, &ctx);
    record_delivery(ctx);
    return rc;
}

}  // namespace

ngx_int_t filter_header(ngx_http_request_t *r)
{
    const LocationConf *conf = loc_conf(r);
    RequestCtx *ctx = find_ctx(r);

    switch (ctx ? ctx->state() : PaymentState::arrived) {
    case PaymentState::verified:
        return read_verified(*ctx);
    case PaymentState::paid:
        return read_settled(*ctx);
    case PaymentState::holding:
        // A second header: only an error may follow the one that is held.
        return content_facts(r).status >= NGX_HTTP_BAD_REQUEST
                   ? pass_free(*ctx)
                   : static_cast<ngx_int_t>(NGX_ERROR);
    case PaymentState::settling:
    case PaymentState::recording:
    case PaymentState::securing:
        return NGX_ERROR;
    case PaymentState::arrived:
    case PaymentState::taking:
    case PaymentState::verifying:
    case PaymentState::settling_first:
    case PaymentState::recording_first:
    case PaymentState::securing_first:
    case PaymentState::securing_verified:
    case PaymentState::closed:
        if (ctx && ctx->accepted) {
            break;
        }
        if (leaks(r, conf, ctx)) {
            return refuse_unpaid_content(r, conf);
        }
        break;
    case PaymentState::delivering:
    case PaymentState::delivered:
    case PaymentState::streaming:
    case PaymentState::charging:
    case PaymentState::orphaned:
        break;
    }
    return write_header(r, ctx);
}

}  // namespace x402
