// The gate in the response: header and body filter on top of all others. It
// keeps a response back until the money has moved, then lets it go under a
// receipt, or puts an answer of ours in its place.
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/filter/ngx_http_x402_header_filter.hpp"
#include "nginx/filter/ngx_http_x402_hold_timer.hpp"
#include "nginx/filter/ngx_http_x402_response_hold.hpp"

namespace x402 {

namespace {

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
        ctx.hold.last_seen = true;
    }
    if (!keep_buffers(ctx, in)) {
        return NGX_ERROR;
    }
    hold_back(ctx);
    if (ctx.state() != PaymentState::holding) {
        return NGX_AGAIN;
    }
    if (upstream_died(ctx)) {
        return replace_broken(ctx);
    }
    if (ctx.hold.last_seen || enough_was_read(ctx)) {
        settle(ctx);
    }
    return NGX_AGAIN;
}

ngx_int_t drop_body(RequestCtx &ctx, ngx_chain_t *in)
{
    if (has_last(in)) {
        ctx.hold.last_seen = true;
    }
    discard_buffers(in);
    if (ctx.hold.upstream_to_stop) {
        stop_upstream(ctx);
    }
    // What is still on its way of our own answer.
    return ctx.r->connection->buffered || ctx.r->buffered
               ? next_body_filter(ctx.r, nullptr)
               : static_cast<ngx_int_t>(NGX_OK);
}

ngx_int_t pass_body(RequestCtx &ctx, ngx_chain_t *in)
{
    if (has_last(in)) {
        ctx.hold.last_seen = true;
    }
    ngx_int_t rc = next_body_filter(ctx.r, in);
    record_delivery(ctx);
    return rc;
}

// Bytes of a subrequest would overtake a main response that is held.
bool overtakes(ngx_http_request_t *r, const RequestCtx *ctx,
               const ngx_chain_t *in)
{
    return ctx && ctx->hold.state == HoldState::held && in
           && !r->subrequest_in_memory && !r->background && !r->header_only;
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
    switch (ctx->hold.state) {
    case HoldState::held:
        return hold_body(*ctx, in);
    case HoldState::shut:
        return drop_body(*ctx, in);
    case HoldState::open:
        break;
    }
    return pass_body(*ctx, in);
}

ngx_int_t top_header_filter(ngx_http_request_t *r)
{
    return guarded(r->connection->log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        return r == r->main ? filter_header(r) : next_header_filter(r);
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

ngx_int_t ngx_http_x402_hold_init_module(ngx_cycle_t *cycle)
{
    if (next_header_filter == nullptr) {
        return NGX_OK;  // no http block
    }
    if (ngx_http_top_header_filter != installed_header_filter
        || ngx_http_top_body_filter != installed_body_filter) {
        log_line(NGX_LOG_WARN, cycle->log,
                 "a module that is loaded later filters responses; "
                 "write load_module of ngx_http_x402_module.so behind "
                 "all others");
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
