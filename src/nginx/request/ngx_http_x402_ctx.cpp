// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_ctx.hpp"

#include <algorithm>
#include <iterator>

#include "nginx/core/ngx_http_x402_header_list.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/request/ngx_http_x402_request_books.hpp"
#include "nginx/zone/ngx_http_x402_zone.hpp"
#include "session/payment_order.hpp"

namespace x402 {

namespace {

// Of a payment with a claim, where the journal is synced; else nullptr.
JournalSync *sync_of(const RequestCtx &ctx)
{
    return ctx.payment && ctx.payment->claim
               ? main_conf(ctx.r)->worker->sync.get()
               : nullptr;
}

void change_claim(const RequestCtx &ctx, ClaimChange change)
{
    if (!ctx.payment) {
        return;
    }
    SharedStore::change_claim(main_conf(ctx.r)->zone, ctx.payment->hold.get(),
                              ctx.payment->claim, change);
    if (change == ClaimChange::delivered) {
        if (JournalSync *sync = sync_of(ctx)) {
            // No request waits: it cannot be undone.
            sync->flush();
        }
    }
}

void log_owed(const RequestCtx &ctx)
{
    log_payment(ctx, ctx.never_settled
                         ? "owed: verified, content not delivered"
                         : "owed: charged, content not delivered");
}

void log_step(const RequestCtx &ctx, PaymentEvent event,
              const PaymentStep &next)
{
    if (next.action == PaymentAction::fail) {
        log_line(NGX_LOG_CRIT, ctx.r->connection->log,
                 std::string("event \"") + event_name(event) + "\" in state \""
                     + state_name(ctx.state())
                     + "\" should not happen; please report it");
    }
    if (next.claim == ClaimChange::owed && ctx.payment && ctx.payment->claim) {
        log_owed(ctx);
        book_owed(ctx);
    } else if (next.claim == ClaimChange::delivered) {
        book_delivery(ctx);
    }
    if (next.next == PaymentState::paid
        || next.next == PaymentState::delivering) {
        prepare_books(ctx);
    }
}

// The client left, or does not read any more. nginx: a filter that replaces the
// response sets `error` as well, to close the connection.
bool client_left(ngx_http_request_t *r)
{
    const ngx_connection_t *c = r->connection;
    return c->timedout || (c->error && !r->filter_finalize);
}

// The client was told how much there is, and has it all with the kernel. nginx:
// an upstream that is not buffered may end without a word of the last byte.
bool has_all_bytes(const RequestCtx &ctx)
{
    const ngx_http_request_t *r = ctx.r;
    off_t length = r->headers_out.content_length_n;
    return length >= 0 && ctx.hold.bytes >= length && r->out == nullptr
           && !r->connection->buffered;
}

// The request ends, for whatever reason.
void on_request_end(RequestCtx &ctx)
{
    if (ctx.hold.timer.timer_set) {
        ngx_del_timer(&ctx.hold.timer);
    }
    if (ctx.claim_wait_timer.timer_set) {
        ngx_del_timer(&ctx.claim_wait_timer);
    }
    if (ctx.state() != PaymentState::closed) {
        record_delivery(ctx);
    }
    book_request_end(ctx);
    if (ctx.state() == PaymentState::closed) {
        return;
    }
    RequestEnd end;
    end.complete =
        ctx.hold.last_seen || ctx.r->header_only || has_all_bytes(ctx);
    end.client_left = client_left(ctx.r);
    PaymentAction action = advance(ctx, end_event(ctx.state(), end));
    if (action == PaymentAction::cancel_call && ctx.verify) {
        ctx.verify->cancel();
    } else if (action == PaymentAction::cancel_call && ctx.settlement) {
        ctx.settlement->cancel();
    } else if (action == PaymentAction::detach_call && ctx.settlement) {
        ctx.settlement->detach();
    } else if (action == PaymentAction::detach_call) {
        // It could not be started: nothing was sent, and nothing will be. An
        // outcome that was unknown before is still unknown.
        change_claim(ctx, ctx.payment && ctx.payment->resumed
                              ? ClaimChange::unknown
                              : ClaimChange::free);
    }
    ctx.verify = nullptr;
    ctx.settlement = nullptr;
    ctx.store_wait.reset();
}

void on_cleanup(void *data)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    guarded(ngx_cycle->log, 0, [&] {
        on_request_end(*ctx);
        return 0;
    });
    ctx->~RequestCtx();
}

RequestCtx *ctx_slot(ngx_http_request_t *main)
{
    return static_cast<RequestCtx *>(
        ngx_http_get_module_ctx(main, ngx_http_x402_module));
}

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

}  // namespace

RequestCtx *find_ctx(ngx_http_request_t *r)
{
    ngx_http_request_t *main = r->main;
    RequestCtx *ctx = ctx_slot(main);
    // nginx: only these two ways to run a request again wipe r->ctx.
    if (ctx != nullptr || !(main->internal || main->filter_finalize)) {
        return ctx;
    }
    for (ngx_pool_cleanup_t *cln = main->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == on_cleanup) {
            ctx = static_cast<RequestCtx *>(cln->data);
            ctx->passed = nullptr;
            ngx_http_set_ctx(main, ctx, ngx_http_x402_module);
            return ctx;
        }
    }
    return nullptr;
}

RequestCtx *find_or_make_ctx(ngx_http_request_t *r)
{
    if (RequestCtx *known = find_ctx(r)) {
        return known;
    }
    ngx_http_request_t *main = r->main;
    ngx_pool_cleanup_t *cln =
        ngx_pool_cleanup_add(main->pool, sizeof(RequestCtx));
    if (cln == nullptr) {
        return nullptr;
    }
    auto *ctx = new (cln->data) RequestCtx(main);
    cln->handler = on_cleanup;
    ngx_http_set_ctx(main, ctx, ngx_http_x402_module);
    return ctx;
}

PaymentAction advance(RequestCtx &ctx, PaymentEvent event)
{
    PaymentStep next = step(ctx.state(), event);
    if (sync_of(ctx)
        || (ctx.payment && ctx.payment->hold && !ctx.payment->hold->over())) {
        next = recorded_first(event, next);
    }
    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, ctx.r->connection->log, 0,
                   "x402: %s, %s -> %s", state_name(ctx.state()),
                   event_name(event), state_name(next.next));
    // Money: without memory for a line the claim changes all the same.
    guarded(ctx.r->connection->log, 0, [&] {
        log_step(ctx, event, next);
        return 0;
    });
    ctx.state_ = next.next;
    if (ctx.content_timer.timer_set && next.next != PaymentState::verified) {
        ngx_del_timer(&ctx.content_timer);
    }
    change_claim(ctx, next.claim);
    if (next.next == PaymentState::closed) {
        ctx.slot = Slot();
    }
    return next.action;
}

void adopt(RequestCtx &ctx, const PaymentStep &step)
{
    ctx.state_ = step.next;
}

const FacilitatorPeers &peers_of(const RequestCtx &ctx,
                                 const PaymentOffer::Option &option,
                                 FacilitatorPeers &few)
{
    const FacilitatorPeers &all = peers_of(*ctx.quote.conf, option.term);
    if (option.bound_facilitator == 0) {
        return all;
    }
    // Only the facilitator that added something to the offer can settle it.
    std::copy_if(all.begin(), all.end(), std::back_inserter(few),
                 [&](const FacilitatorConf *peer) {
                     return peer->id == option.bound_facilitator;
                 });
    return few;
}

void record_delivery(RequestCtx &ctx)
{
    if (ctx.state() != PaymentState::delivering) {
        return;
    }
    ngx_http_request_t *r = ctx.r;
    off_t sent = r->connection->sent;
    // Without a body the header is everything: core reports that only for its
    // own answers, not of an upstream's 204, 304 or empty content.
    bool ended =
        ctx.hold.last_seen && r->out == nullptr && !r->connection->buffered;
    bool header_alone =
        ended || r->header_only || ctx.hold.state == HoldState::shut
        || r->headers_out.status == NGX_HTTP_SWITCHING_PROTOCOLS;
    auto header = static_cast<off_t>(r->header_size);
    if (r->header_size > 0 && (header_alone ? sent >= header : sent > header)) {
        advance(ctx, PaymentEvent::body_sent);
    }
}

ContentFacts content_facts(ngx_http_request_t *r)
{
    ContentFacts facts;
    facts.status = static_cast<unsigned>(r->headers_out.status);
    facts.status_from_upstream =
        r->upstream && r->upstream->headers_in.status_n == facts.status;
    facts.grpc_failed = grpc_failed(r);
    facts.made_where_free = loc_conf(r)->off_in_location;
    // nginx: the two ways in which filters turn an answer into an error.
    const RequestCtx *ctx = find_ctx(r);
    facts.filter_failed = r->filter_finalize || (ctx && ctx->hold.refused);
    return facts;
}

void log_payment(const RequestCtx &ctx, std::string_view event)
{
    const Payment &payment = *ctx.payment;
    log_ledger(ctx.r->connection->log, {event,
                                        payment.network,
                                        payment.payer,
                                        payment.amount,
                                        payment.asset,
                                        {},
                                        {},
                                        ctx.quote.resource_url,
                                        short_id(payment.facts.key)});
}

}  // namespace x402
