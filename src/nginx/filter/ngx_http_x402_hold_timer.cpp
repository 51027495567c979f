// SPDX-License-Identifier: Apache-2.0
#include "nginx/filter/ngx_http_x402_hold.hpp"

#include <algorithm>

#include "nginx/books/ngx_http_x402_counters.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/payment/ngx_http_x402_facilitator_peers.hpp"
#include "nginx/payment/ngx_http_x402_payment_settlement.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"

namespace x402 {

namespace {

// How often a held response is looked at: the pipe of a buffered upstream does
// not call the filter while it is held, and one that is not buffered is timed.
constexpr ngx_msec_t kHoldLookInterval = 100;

// nginx: ending a request ends its upstream first, which gives back the count
// of the content handler. Unless the module takes one too, that is the last
// one, and the pool is gone while core still walks the list of cleanups in it.
void abort_request(ngx_http_request_t *r)
{
    r->main->count++;
    ngx_http_finalize_request(r, NGX_ERROR);
}

// Lets the request's producers continue after a change. The request may be gone
// afterwards.
void resume_request(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_connection_t *c = r->connection;
    auto *active = static_cast<ngx_http_request_t *>(c->data);
    if (rc == NGX_ERROR || ngx_http_post_request(r, nullptr) != NGX_OK
        || (active != r && ngx_http_post_request(active, nullptr) != NGX_OK)) {
        abort_request(r);
    }
    ngx_http_run_posted_requests(c);
}

RequestCtx *ctx_of_timer(ngx_event_t *event)
{
    auto *c = static_cast<ngx_connection_t *>(event->data);
    return find_ctx(static_cast<ngx_http_request_t *>(c->data));
}

// nginx: an upstream that is not buffered is timed while its bytes are held
// (proxy_read_timeout), also when all of them have come. So is that of a part
// of the page; one whose header has not come is waited for as ever.
template <class Take> void each_timed(const ngx_http_request_t *r, Take take)
{
    const ngx_http_upstream_t *u = r->upstream;
    if (u && !u->buffering && u->header_sent && u->peer.connection) {
        take(*u);
    }
    for (const ngx_http_postponed_request_t *part = r->postponed; part;
         part = part->next) {
        if (part->request) {
            each_timed(part->request, take);
        }
    }
}

bool is_timed(const RequestCtx &ctx)
{
    bool timed = has_subrequests(ctx);
    each_timed(ctx.r, [&](const ngx_http_upstream_t &) { timed = true; });
    return timed;
}

// Money: that would be content which has no end, and is owed once more. Its
// time goes on when the content leaves.
void keep_upstreams(const RequestCtx &ctx)
{
    each_timed(ctx.r, [&](const ngx_http_upstream_t &u) {
        bool awaited = ctx.state() == PaymentState::holding && u.length != 0;
        if (u.peer.connection->read->timer_set && !awaited) {
            ngx_del_timer(u.peer.connection->read);
        }
    });
}

void on_hold_timer(ngx_event_t *event)
{
    RequestCtx *ctx = ctx_of_timer(event);
    if (ctx == nullptr) {
        return;
    }
    ngx_http_request_t *r = ctx->r;
    if (is_timed(*ctx)) {
        keep_upstreams(*ctx);
        // Until it is released or replaced.
        ngx_add_timer(event, kHoldLookInterval);
    }
    if (ctx->state() != PaymentState::holding) {
        return;
    }
    ngx_int_t rc =
        guarded(r->connection->log, static_cast<ngx_int_t>(NGX_ERROR),
                [&]() -> ngx_int_t {
                    ngx_http_set_log_request(r->connection->log, r);
                    if (upstream_died(*ctx)) {
                        return replace_broken(*ctx, "broke off");
                    }
                    bool waited = static_cast<ngx_msec_int_t>(
                                      ctx->hold.until - ngx_current_msec)
                                  <= 0;
                    if (waited || enough_was_read(*ctx)) {
                        settle(*ctx);
                        return NGX_AGAIN;
                    }
                    arm_hold_timer(*ctx);
                    if (!has_subrequests(*ctx)) {
                        return NGX_AGAIN;
                    }
                    r->connection->write->delayed = 0;
                    return NGX_OK;
                });
    if (rc != NGX_AGAIN) {
        resume_request(r, rc);
    }
}

void on_settled(void *data, const PaymentStep &next, SettlementResult &result)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    ngx_http_request_t *r = ctx->r;
    adopt(*ctx, next);
    if (is_on_its_way(next)) {
        return;
    }
    ctx->settlement = nullptr;
    ngx_int_t rc = guarded(
        r->connection->log, static_cast<ngx_int_t>(NGX_ERROR),
        [&]() -> ngx_int_t {
            ngx_http_set_log_request(r->connection->log, r);
            main_conf(r)->books->count_hold(ngx_current_msec - ctx->hold.since);
            record_settlement(*ctx, result);
            if (next.action == PaymentAction::release) {
                ctx->receipt = std::move(result.receipt);
                ctx->hold.released = true;
                ngx_int_t sent = release_response(*ctx);
                record_delivery(*ctx);
                return sent;
            }
            return replace_response(*ctx, settlement_answer(*ctx, result));
        });
    resume_request(r, rc);
}

}  // namespace

bool upstream_died(const RequestCtx &ctx)
{
    const ngx_http_upstream_t *u = ctx.r->upstream;
    return !ctx.hold.made_whole && u && u->header_sent
           && u->peer.connection == nullptr;
}

bool enough_was_read(const RequestCtx &ctx)
{
    const ngx_http_upstream_t *u = ctx.r->upstream;
    off_t read = std::max(ctx.hold.bytes, ctx.hold.made);
    if (u && u->header_sent) {
        if (!u->buffering && read > 0) {
            // What is charged by usage has to end first, if there is room.
            return !ctx.usage || has_ended(ctx)
                   || u->buffer.last == u->buffer.end;
        }
        if (u->buffering && u->pipe) {
            read = std::max(read, u->pipe->read_length);
        }
    }
    return read >= static_cast<off_t>(ctx.quote.conf->hold_buffer);
}

bool has_subrequests(const RequestCtx &ctx)
{
    return ctx.r->postponed || ctx.r->connection->data != ctx.r;
}

void arm_hold_timer(RequestCtx &ctx)
{
    ngx_msec_int_t left =
        static_cast<ngx_msec_int_t>(ctx.hold.until - ngx_current_msec);
    ngx_msec_t wait = left <= 0 ? 1 : static_cast<ngx_msec_t>(left);
    ngx_add_timer(&ctx.hold.timer, std::min(wait, kHoldLookInterval));
}

void begin_hold(RequestCtx &ctx)
{
    ctx.hold.state = HoldState::held;
    ctx.hold.last = &ctx.hold.chain;
    ctx.hold.timer.handler = on_hold_timer;
    ctx.hold.timer.data = ctx.r->connection;
    ctx.hold.timer.log = ctx.r->connection->log;
    ctx.hold.since = ngx_current_msec;
    ctx.hold.until = ngx_current_msec + ctx.quote.conf->hold_wait;
    hold_back(ctx);
}

ngx_int_t replace_broken(RequestCtx &ctx, const char *why)
{
    if (advance(ctx, PaymentEvent::content_broken) != PaymentAction::replace) {
        return NGX_ERROR;
    }
    log_refusal(kContentFailed, ctx.r->connection->log,
                std::string("content ") + why
                    + " before it was paid for; not charged");
    return replace_response(ctx, fault_answer(kContentFailed));
}

void settle(RequestCtx &ctx)
{
    Worker *worker = worker_of(main_conf(ctx.r));
    // The facilitator that verified settles.
    Endpoint &endpoint = worker->endpoint_of(*ctx.asked);
    if (ctx.usage) {
        set_used_amount(ctx);
    }
    SettlementTerms terms = settlement_terms(ctx);
    terms.others = others_to_settle(ctx, *worker);
    terms.was_verified = ctx.payment->verified;
    PaymentAction action = advance(ctx, PaymentEvent::settle_due);
    if (action != PaymentAction::call_settle
        && action != PaymentAction::wait_for_record) {
        return;
    }
    hold_back(ctx);
    if (is_timed(ctx)) {
        ngx_add_timer(&ctx.hold.timer, kHoldLookInterval);
    } else if (ctx.hold.timer.timer_set) {
        ngx_del_timer(&ctx.hold.timer);
    }
    ctx.settlement =
        Settlement::start(*worker, endpoint, std::move(terms), ctx.state(),
                          std::move(ctx.slot), on_settled, &ctx);
}

}  // namespace x402
