// SPDX-License-Identifier: Apache-2.0
// x402_stream: content that says at its end what it has cost leaves at once if
// its payer has a good record, and is settled when it has ended. The request
// does not wait for that, so its answer has no receipt.
#include "base/decimal_amount.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/filter/ngx_http_x402_hold.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/payment/ngx_http_x402_facilitator_peers.hpp"
#include "nginx/payment/ngx_http_x402_payment_settlement.hpp"

namespace x402 {

namespace {

bool is_within(const StreamRules &rules, const PaymentRequirements &maximum)
{
    if (rules.most.empty()) {
        return true;
    }
    auto most = maximum.decimals
                    ? to_atomic_amount(rules.most, *maximum.decimals)
                    : Result<std::string>(Problem{});
    return most && compare_atomic_amounts(maximum.amount, most.value()) <= 0;
}

// Settles what has left, after the request. The amount is that of the payment.
void charge(RequestCtx &ctx)
{
    if (ctx.hold.timer.timer_set) {
        ngx_del_timer(&ctx.hold.timer);
    }
    Worker *worker = worker_of(main_conf(ctx.r));
    Endpoint &endpoint = worker->endpoint_of(*ctx.asked);
    SettlementTerms terms = settlement_terms(ctx);
    terms.others = others_to_settle(ctx, *worker);
    terms.was_verified = true;
    terms.request_log = nullptr;
    if (advance(ctx, PaymentEvent::settle_due) == PaymentAction::call_settle) {
        Settlement::start(*worker, endpoint, std::move(terms), ctx.state(),
                          std::move(ctx.slot), nullptr, nullptr);
    }
}

// Money: the client has what it was sent, so that it pays for that.
void charge_cut_stream(RequestCtx &ctx)
{
    bool read = ctx.quote.conf->stream->cut_is_read;
    log_line(NGX_LOG_INFO, ctx.r->connection->log,
             std::string("the client left a stream that was not held "
                         "(x402_stream), which costs ")
                 + (read ? "what it has reported so far" : "the maximum"));
    if (read) {
        set_amount_so_far(ctx, true);
    }
    charge(ctx);
}

// Not when nginx closes the connection itself, after worker_shutdown_timeout.
bool client_left(const ngx_http_request_t *r)
{
    const ngx_connection_t *c = r->connection;
#if (NGX_HTTP_V2)
    const ngx_connection_t *real =
        r->stream ? r->stream->connection->connection : c;
#else
    const ngx_connection_t *real = c;
#endif
    return (c->timedout || c->error) && !real->close;
}

// The request ends, and its pool is still there.
void end_stream(RequestCtx &ctx)
{
    if (ctx.state() != PaymentState::streaming) {
        return;
    }
    const ngx_connection_t *c = ctx.r->connection;
    if (ctx.usage->ended || has_ended(ctx)) {
        set_used_amount(ctx);
        charge(ctx);
    } else if (client_left(ctx.r)) {
        charge_cut_stream(ctx);
    } else {
        log_line(NGX_LOG_ERR, c->log,
                 "a stream that was not held (x402_stream) broke off; not "
                 "charged");
        advance(ctx, PaymentEvent::content_broken);
    }
}

void on_stream_end(void *data)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    guarded(ctx->r->connection->log, 0, [&] {
        end_stream(*ctx);
        return 0;
    });
}

// Money: later, the payment could not be settled any more.
void on_deadline(ngx_event_t *event)
{
    auto *c = static_cast<ngx_connection_t *>(event->data);
    auto *r = static_cast<ngx_http_request_t *>(c->data);
    guarded(c->log, 0, [&] {
        RequestCtx *ctx = find_ctx(r);
        if (ctx && ctx->state() == PaymentState::streaming) {
            ngx_http_set_log_request(c->log, r);
            log_line(NGX_LOG_WARN, c->log,
                     "a stream that was not held (x402_stream) did not end "
                     "within half of the time that its payment is valid: the "
                     "maximum is charged");
            charge(*ctx);
        }
        return 0;
    });
}

}  // namespace

bool begin_stream(RequestCtx &ctx)
{
    ngx_http_request_t *r = ctx.r;
    const StreamRules &rules = *ctx.quote.conf->stream;
    bool has_body = r->method != NGX_HTTP_HEAD && !r->header_only
                    && r->headers_out.status != NGX_HTTP_NO_CONTENT;
    if (!has_body || !ctx.payment->verified || ctx.usage->defect
        || !is_within(rules, ctx.payment->option->requirements)) {
        return false;
    }
    // Before the record is spent: it is not given back.
    ngx_http_cleanup_t *cleanup = ngx_http_cleanup_add(r, 0);
    if (cleanup == nullptr) {
        return false;
    }
    cleanup->data = &ctx;
    Worker *worker = worker_of(main_conf(r));
    if (!LockedClaims(worker->zone)
             ->set_streamed(ctx.payment->claim, rules.trust)) {
        return false;
    }
    cleanup->handler = on_stream_end;
    advance(ctx, PaymentEvent::content_trusted);
    ctx.hold.timer.handler = on_deadline;
    ctx.hold.timer.data = r->connection;
    ctx.hold.timer.log = r->connection->log;
    ngx_add_timer(&ctx.hold.timer, half_validity(ctx));
    return true;
}

}  // namespace x402
