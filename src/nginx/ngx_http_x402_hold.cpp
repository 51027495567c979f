#include "nginx/ngx_http_x402_hold.hpp"

#include <algorithm>

#include "nginx/ngx_http_x402_access.hpp"
#include "nginx/ngx_http_x402_gate.hpp"
#include "nginx/ngx_http_x402_header_list.hpp"
#include "nginx/ngx_http_x402_log.hpp"
#include "nginx/ngx_http_x402_quote.hpp"
#include "nginx/ngx_http_x402_reply.hpp"
#include "policy/charge_rule.hpp"

namespace x402 {

namespace {

// How often a held response is looked at: the pipe of a buffered upstream does
// not call the filter while it is held.
constexpr ngx_msec_t kLookInterval = 100;

void settle(RequestCtx &ctx);
void on_hold_timer(ngx_event_t *event);

// Lets the request's producers go on after something changed. The request may
// be gone afterwards.
void run_on(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_connection_t *c = r->connection;
    if (rc == NGX_ERROR) {
        ngx_http_finalize_request(r, NGX_ERROR);
    } else if (ngx_http_post_request(r, nullptr) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
    ngx_http_run_posted_requests(c);
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

ContentFacts facts_of(ngx_http_request_t *r)
{
    ContentFacts facts;
    facts.status = static_cast<unsigned>(r->headers_out.status);
    facts.status_from_upstream =
        r->upstream && r->upstream->headers_in.status_n == facts.status;
    facts.grpc_failed = grpc_failed(r);
    return facts;
}

// The upstream went away in the middle: it was finalized without a last buffer.
bool upstream_died(const RequestCtx &ctx)
{
    const ngx_http_upstream_t *u = ctx.r->upstream;
    return !ctx.last_seen && u && u->header_sent
           && u->peer.connection == nullptr;
}

bool enough_was_read(const RequestCtx &ctx)
{
    const ngx_http_upstream_t *u = ctx.r->upstream;
    off_t read = ctx.held_bytes;
    if (u && u->header_sent) {
        if (!u->buffering && read > 0) {
            return true;
        }
        if (u->buffering && u->pipe) {
            read = std::max(read, u->pipe->read_length);
        }
    }
    return read >= static_cast<off_t>(ctx.conf->settle_buffer);
}

void arm_hold_timer(RequestCtx &ctx)
{
    ngx_msec_int_t left =
        static_cast<ngx_msec_int_t>(ctx.hold_until - ngx_current_msec);
    ngx_msec_t wait = left <= 0 ? 1 : static_cast<ngx_msec_t>(left);
    ngx_add_timer(&ctx.hold_timer, std::min(wait, kLookInterval));
}

void begin_hold(RequestCtx &ctx)
{
    ctx.gate = Gate::held;
    ctx.held_last = &ctx.held;
    ctx.hold_timer.handler = on_hold_timer;
    ctx.hold_timer.data = ctx.r->connection;
    ctx.hold_timer.log = ctx.r->connection->log;
    ctx.hold_until = ngx_current_msec + ctx.conf->settle_wait;
    hold_back(ctx);
}

// The upstream died before settle began: nobody pays for half an answer.
ngx_int_t replace_broken(RequestCtx &ctx)
{
    if (advance(ctx, Event::content_broken) != Action::replace) {
        return NGX_ERROR;
    }
    log_line(NGX_LOG_INFO, ctx.r->connection->log,
             "content broke off before it was paid for; not charged");
    return put_in_place(ctx,
                        fault_answer(NGX_HTTP_BAD_GATEWAY, "content_failed"));
}

RequestCtx *ctx_of_timer(ngx_event_t *event)
{
    auto *c = static_cast<ngx_connection_t *>(event->data);
    return find_ctx(static_cast<ngx_http_request_t *>(c->data));
}

void on_hold_timer(ngx_event_t *event)
{
    RequestCtx *ctx = ctx_of_timer(event);
    if (ctx == nullptr || ctx->state != State::holding) {
        return;
    }
    ngx_http_request_t *r = ctx->r;
    ngx_int_t rc =
        guarded(r->connection->log, static_cast<ngx_int_t>(NGX_ERROR),
                [&]() -> ngx_int_t {
                    ngx_http_set_log_request(r->connection->log, r);
                    if (upstream_died(*ctx)) {
                        return replace_broken(*ctx);
                    }
                    bool waited = static_cast<ngx_msec_int_t>(
                                      ctx->hold_until - ngx_current_msec)
                                  <= 0;
                    if (waited || enough_was_read(*ctx)) {
                        settle(*ctx);
                    } else {
                        arm_hold_timer(*ctx);
                    }
                    return NGX_AGAIN;
                });
    if (rc != NGX_AGAIN) {
        run_on(r, rc);
    }
}

void on_settled(void *data, const Step &next, const SettlementResult &result)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    ngx_http_request_t *r = ctx->r;
    ctx->settlement = nullptr;
    ctx->state = next.next;
    ngx_int_t rc =
        guarded(r->connection->log, static_cast<ngx_int_t>(NGX_ERROR),
                [&]() -> ngx_int_t {
                    ngx_http_set_log_request(r->connection->log, r);
                    if (next.action == Action::release) {
                        ctx->receipt = result.receipt;
                        ngx_int_t sent = let_go(*ctx);
                        note_delivery(*ctx);
                        return sent;
                    }
                    return put_in_place(*ctx, settlement_answer(*ctx, result));
                });
    run_on(r, rc);
}

void settle(RequestCtx &ctx)
{
    if (advance(ctx, Event::settle_due) != Action::call_settle) {
        return;
    }
    if (ctx.hold_timer.timer_set) {
        ngx_del_timer(&ctx.hold_timer);
    }
    Worker *worker = worker_of(main_conf(ctx.r));
    Endpoint &endpoint = worker->endpoint_of(
        *static_cast<FacilitatorConf *>(ctx.conf->facilitator));
    SettlementTerms terms = settlement_terms(ctx);
    terms.was_verified = true;
    ctx.settlement =
        Settlement::start(*worker, endpoint, std::move(terms), ctx.state,
                          std::move(ctx.slot), on_settled, &ctx);
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
    if (ctx == nullptr || conf->offer == nullptr || !make_quote(*ctx, conf)) {
        return NGX_ERROR;
    }
    ctx->state = State::closed;
    log_line(NGX_LOG_WARN, r->connection->log,
             "content made before the access phase (return, or another access "
             "module) was kept from an unpaid request; such content cannot be "
             "sold");
    return put_in_place(*ctx, challenge_answer("Payment required"));
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

// The first header of content that was verified but not settled.
ngx_int_t judge_verified(RequestCtx &ctx)
{
    ngx_http_request_t *r = ctx.r;
    switch (judge_content(facts_of(r))) {
    case Charge::free:
        return pass_free(ctx);
    case Charge::unservable:
        return refuse_upgrade(ctx);
    case Charge::charged:
        break;
    }
    if (advance(ctx, Event::content_charged) != Action::hold) {
        return NGX_ERROR;
    }
    begin_hold(ctx);
    if (r->method == NGX_HTTP_HEAD) {
        // Core decides that later, below us; producers ask now.
        r->header_only = 1;
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
    if (judge_content(facts) == Charge::unservable) {
        return refuse_upgrade(ctx);
    }
    bool delivery = is_delivery(facts, ctx.settled_before);
    advance(ctx, delivery ? Event::content_charged : Event::content_failed);
    if (ctx.r->method == NGX_HTTP_HEAD) {
        ctx.last_seen = true;
    }
    if (!add_paid_headers(ctx)) {
        return NGX_ERROR;
    }
    ngx_int_t rc = next_header_filter(ctx.r);
    note_delivery(ctx);
    return rc;
}

ngx_int_t header_filter(ngx_http_request_t *r)
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

bool has_last(const ngx_chain_t *in)
{
    for (; in; in = in->next) {
        if (in->buf->last_buf) {
            return true;
        }
    }
    return false;
}

ngx_int_t hold_body(RequestCtx &ctx, ngx_chain_t *in)
{
    if (has_last(in)) {
        ctx.last_seen = true;
    }
    if (!keep_buffers(ctx, in)) {
        return NGX_ERROR;
    }
    hold_back(ctx);
    if (ctx.state != State::holding) {
        return NGX_AGAIN;
    }
    if (upstream_died(ctx)) {
        return replace_broken(ctx);
    }
    if (ctx.last_seen || enough_was_read(ctx)) {
        settle(ctx);
    }
    return NGX_AGAIN;
}

ngx_int_t drop_body(RequestCtx &ctx, ngx_chain_t *in)
{
    if (has_last(in)) {
        ctx.last_seen = true;
    }
    discard_buffers(in);
    if (ctx.source_to_stop) {
        stop_source(ctx);
    }
    // What is still on its way of our own answer.
    return ctx.r->connection->buffered || ctx.r->buffered
               ? next_body_filter(ctx.r, nullptr)
               : static_cast<ngx_int_t>(NGX_OK);
}

ngx_int_t pass_body(RequestCtx &ctx, ngx_chain_t *in)
{
    if (has_last(in)) {
        ctx.last_seen = true;
    }
    ngx_int_t rc = next_body_filter(ctx.r, in);
    note_delivery(ctx);
    return rc;
}

// Bytes of a subrequest would overtake a main response that is held.
bool overtakes(ngx_http_request_t *r, const RequestCtx *ctx,
               const ngx_chain_t *in)
{
    return ctx && ctx->gate == Gate::held && in && !r->subrequest_in_memory
           && !r->background && !r->header_only;
}

ngx_int_t body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    RequestCtx *ctx = find_ctx(r);
    if (r != r->main) {
        if (overtakes(r, ctx, in)) {
            log_line(NGX_LOG_ERR, r->connection->log,
                     "output of a subrequest before the main response was paid "
                     "for is refused");
            return NGX_ERROR;
        }
        return next_body_filter(r, in);
    }
    if (ctx == nullptr) {
        return next_body_filter(r, in);
    }
    switch (ctx->gate) {
    case Gate::held:
        return hold_body(*ctx, in);
    case Gate::shut:
        return drop_body(*ctx, in);
    case Gate::open:
        break;
    }
    return pass_body(*ctx, in);
}

ngx_int_t top_header_filter(ngx_http_request_t *r)
{
    return guarded(r->connection->log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        return r == r->main ? header_filter(r) : next_header_filter(r);
    });
}

ngx_int_t top_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    return guarded(r->connection->log, static_cast<ngx_int_t>(NGX_ERROR),
                   [&] { return body_filter(r, in); });
}

// Where our filters were installed by postconfiguration. When a module that was
// loaded later put itself above them, the gate moves to the very top and these
// pass through to what was below.
ngx_http_output_header_filter_pt below_header_filter;
ngx_http_output_body_filter_pt below_body_filter;

ngx_int_t installed_header_filter(ngx_http_request_t *r)
{
    return below_header_filter ? below_header_filter(r) : top_header_filter(r);
}

ngx_int_t installed_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    return below_body_filter ? below_body_filter(r, in)
                             : top_body_filter(r, in);
}

}  // namespace

void note_delivery(RequestCtx &ctx)
{
    if (ctx.state != State::delivering) {
        return;
    }
    ngx_http_request_t *r = ctx.r;
    off_t sent = r->connection->sent;
    bool header_alone = r->header_only || ctx.gate == Gate::shut;
    auto header = static_cast<off_t>(r->header_size);
    if (r->header_size > 0 && (header_alone ? sent >= header : sent > header)) {
        advance(ctx, Event::body_sent);
    }
}

}  // namespace x402

using namespace x402;

ngx_int_t ngx_http_x402_hold_postconfiguration(ngx_conf_t *)
{
    below_header_filter = nullptr;
    next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = installed_header_filter;
    below_body_filter = nullptr;
    next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = installed_body_filter;
    return NGX_OK;
}

ngx_int_t ngx_http_x402_hold_init_module(ngx_cycle_t *)
{
    if (next_header_filter == nullptr) {
        return NGX_OK;  // no http block
    }
    if (ngx_http_top_header_filter != installed_header_filter) {
        below_header_filter = next_header_filter;
        next_header_filter = ngx_http_top_header_filter;
        ngx_http_top_header_filter = top_header_filter;
    }
    if (ngx_http_top_body_filter != installed_body_filter) {
        below_body_filter = next_body_filter;
        next_body_filter = ngx_http_top_body_filter;
        ngx_http_top_body_filter = top_body_filter;
    }
    return NGX_OK;
}
