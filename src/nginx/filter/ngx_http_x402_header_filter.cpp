#include "nginx/filter/ngx_http_x402_header_filter.hpp"

#include "facilitator/verify_answer.hpp"
#include "nginx/core/ngx_http_x402_header_list.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/filter/ngx_http_x402_hold_timer.hpp"
#include "nginx/filter/ngx_http_x402_response_hold.hpp"
#include "nginx/payment/ngx_http_x402_payment.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "nginx/request/ngx_http_x402_quote.hpp"
#include "policy/charge_rule.hpp"
#include "policy/settlement_override.hpp"

namespace x402 {

namespace {

bool grpc_failed(ngx_http_request_t *r)
{
    bool failed = false;
    each_header(
        r->headers_out.headers, [&failed](const ngx_table_elt_t &header) {
            if (header.hash != 0 && header_is(header.key, "grpc-status")) {
                failed = view(header.value) != "0";
            }
        });
    return failed;
}

ContentFacts facts_of(ngx_http_request_t *r)
{
    ContentFacts facts;
    facts.status = static_cast<unsigned>(r->headers_out.status);
    facts.status_from_upstream =
        r->upstream && r->upstream->headers_in.status_n == facts.status;
    facts.grpc_failed = grpc_failed(r);
    return facts;
}

// A 2xx that is about to leave a paid location although nobody has paid and
// the access phase was not passed: content made by the rewrite phase or by
// another access handler.
bool leaks(ngx_http_request_t *r, const ngx_http_x402_loc_conf_t *conf,
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
        return conf->own;
    }
    return !ctx->passed || ctx->passed != conf->offer;
}

ngx_int_t shut_out(ngx_http_request_t *r, const ngx_http_x402_loc_conf_t *conf)
{
    RequestCtx *ctx = find_or_make_ctx(r);
    if (ctx == nullptr || conf->offer == nullptr
        || make_quote(*ctx, conf) != OfferState::made) {
        return NGX_ERROR;
    }
    Answer answer = ctx->answered
                        ? challenge_answer(std::string(kPaymentRequired))
                        : unpaid_answer();
    ctx->state = State::closed;
    log_line(NGX_LOG_WARN, r->connection->log,
             "content made before the access phase (return, or another access "
             "module) was kept from an unpaid request; such content cannot be "
             "sold");
    return put_in_place(*ctx, answer);
}

// The gate stays open: the answer is not charged.
ngx_int_t pass_free(RequestCtx &ctx)
{
    Action action = advance(ctx, Event::content_free);
    if (action != Action::pass) {
        return NGX_ERROR;
    }
    if (ctx.gate == Gate::held) {
        discard_held(ctx);
        return let_go(ctx);
    }
    return next_header_filter(ctx.r);
}

ngx_int_t refuse_upgrade(RequestCtx &ctx)
{
    if (advance(ctx, Event::content_broken) != Action::replace) {
        return NGX_ERROR;
    }
    log_line(NGX_LOG_WARN, ctx.r->connection->log,
             "the upstream switched protocols in a paid location; not served");
    return put_in_place(
        ctx, fault_answer(NGX_HTTP_BAD_GATEWAY, "upgrade_not_served"));
}

// Scheme upto: what the upstream says the content has cost (x402 v2, settlement
// overrides). False: it says so in a way that cannot be followed.
bool take_override(RequestCtx &ctx)
{
    Payment &payment = *ctx.payment;
    if (payment.way->requirements.scheme != "upto") {
        return true;
    }
    std::string_view value;
    std::size_t count = 0;
    each_header(ctx.r->headers_out.headers, [&](const ngx_table_elt_t &header) {
        if (header.hash != 0 && header_is(header.key, "settlement-overrides")) {
            value = view(header.value);
            count++;
        }
    });
    bool of_upstream = facts_of(ctx.r).status_from_upstream;
    auto amount = settlement_amount(value, of_upstream ? count : 0,
                                    payment.way->requirements);
    if (!amount) {
        log_line(NGX_LOG_ERR, ctx.r->connection->log,
                 "the upstream's Settlement-Overrides cannot be followed, "
                 "nothing is charged: "
                     + log_excerpt(amount.problem().text));
        return false;
    }
    return set_amount(ctx, amount.value());
}

ngx_int_t refuse_override(RequestCtx &ctx)
{
    if (advance(ctx, Event::content_broken) != Action::replace) {
        return NGX_ERROR;
    }
    return put_in_place(
        ctx, fault_answer(NGX_HTTP_BAD_GATEWAY, "settlement_override_invalid"));
}

// The first header of content that was verified but not settled.
ngx_int_t judge_verified(RequestCtx &ctx)
{
    ngx_http_request_t *r = ctx.r;
    ContentFacts facts = facts_of(r);
    facts.success_only = ctx.dialect->bears_tokens();
    switch (judge_content(facts)) {
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
    if (advance(ctx, Event::content_charged) != Action::hold) {
        return NGX_ERROR;
    }
    begin_hold(ctx);
    if (r->method == NGX_HTTP_HEAD) {
        // Core decides that later, below us; producers ask now.
        r->header_only = 1;
    }
    if (r->header_only || facts.status == NGX_HTTP_NO_CONTENT) {
        // No body will tell that the content is complete.
        ctx.last_seen = true;
        settle(ctx);
    } else {
        arm_hold_timer(ctx);
    }
    return NGX_OK;
}

// The header of content under a settlement that came first.
ngx_int_t judge_settled(RequestCtx &ctx)
{
    ContentFacts facts = facts_of(ctx.r);
    bool tunnel = ctx.tunnel && facts.status == NGX_HTTP_SWITCHING_PROTOCOLS;
    if (judge_content(facts) == Charge::unservable && !tunnel) {
        return refuse_upgrade(ctx);
    }
    bool delivery = tunnel || is_delivery(facts, ctx.settled_before);
    advance(ctx, delivery ? Event::content_charged : Event::content_failed);
    if (ctx.r->method == NGX_HTTP_HEAD || tunnel) {
        // No body will pass the filters.
        ctx.last_seen = true;
    }
    if (!add_paid_headers(ctx)) {
        return NGX_ERROR;
    }
    ngx_int_t rc = next_header_filter(ctx.r);
    note_delivery(ctx);
    return rc;
}

}  // namespace

ngx_int_t judge_header(ngx_http_request_t *r)
{
    const ngx_http_x402_loc_conf_t *conf = loc_conf(r);
    RequestCtx *ctx = find_ctx(r);

    switch (ctx ? ctx->state : State::arrived) {
    case State::verified:
        return judge_verified(*ctx);
    case State::paid:
        return judge_settled(*ctx);
    case State::holding:
        // A second header: only an error may follow the one that is held.
        return facts_of(r).status >= NGX_HTTP_BAD_REQUEST
                   ? pass_free(*ctx)
                   : static_cast<ngx_int_t>(NGX_ERROR);
    case State::settling:
        return NGX_ERROR;
    case State::arrived:
    case State::verifying:
    case State::settling_first:
    case State::closed:
        if (ctx && ctx->accepted) {
            break;
        }
        if (leaks(r, conf, ctx)) {
            return shut_out(r, conf);
        }
        break;
    case State::delivering:
    case State::delivered:
    case State::orphaned:
        break;
    }
    return next_header_filter(r);
}

}  // namespace x402
