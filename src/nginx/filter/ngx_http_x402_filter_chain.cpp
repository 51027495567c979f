// SPDX-License-Identifier: Apache-2.0
// Where the module stands in nginx's chain of response filters. A response
// meets four places, in this order:
//
//   source   above all others: counts what the content's producer hands over
//   headers  directly above nginx's headers filter (add_header, expires)
//   reply    below it and userid, above the filters that change content; a part
//            of a page that comes here is shown
//   hold     below the range filter, above those that write
//
// Content under a verified payment goes from `headers` to `reply` at once, and
// through gzip, image_filter and all others to `hold`. There it is known what
// leaves. Then nginx's headers filter runs, so that add_header can name the
// transaction, and the header is written. An answer of the module goes from
// `reply` to the wire: no filter that checks or changes content sees it, and
// it has the headers that the operator adds.
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/filter/ngx_http_x402_hold.hpp"

namespace x402 {

namespace {

ngx_http_output_body_filter_pt below_source_body;
ngx_http_output_header_filter_pt below_headers;
ngx_http_output_header_filter_pt below_reply;
ngx_http_output_header_filter_pt below_hold_header;
ngx_http_output_body_filter_pt below_hold_body;

RequestCtx *ctx_of_main(ngx_http_request_t *r)
{
    return r == r->main ? find_ctx(r) : nullptr;
}

// Money: what leaves is not known yet, and the variables do not yet show
// the settlement.
bool is_undecided(const RequestCtx &ctx)
{
    return !ctx.hold.to_wire
           && (ctx.state() == PaymentState::verified
               || ctx.state() == PaymentState::holding);
}

ContentPart *find_part(const Hold &hold, const ngx_http_request_t *r)
{
    ContentPart *part = hold.parts;
    while (part && part->r != r) {
        part = part->next;
    }
    return part;
}

// Money: what the page has of a part. Modules that ask for something else and
// do not show it (Lua, njs, srcache) keep its header from coming here; what a
// script asks for before it makes its content does not belong to that either.
bool record_part(Hold &hold, ngx_http_request_t *r)
{
    bool begun = hold.state == HoldState::held || r->main->header_sent;
    if (!begun || r->background || r->subrequest_in_memory
        || find_part(hold, r)) {
        return true;
    }
    auto *part =
        static_cast<ContentPart *>(ngx_palloc(r->pool, sizeof(ContentPart)));
    if (part == nullptr) {
        return false;
    }
    *part = {r, false, hold.parts};
    hold.parts = part;
    return true;
}

void record_end(const Hold &hold, const ngx_http_request_t *r,
                const ngx_chain_t *in)
{
    ContentPart *part = find_part(hold, r);
    for (; part && in; in = in->next) {
        part->ended =
            part->ended || in->buf->last_in_chain || in->buf->last_buf;
    }
}

ngx_int_t source_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    RequestCtx *ctx = find_ctx(r);
    if (ctx == nullptr) {
        return below_source_body(r, in);
    }
    if (r != r->main) {
        record_end(ctx->hold, r, in);
        if (ctx->hold.state == HoldState::held && !r->background
            && ctx->state() == PaymentState::holding) {
            // Its parent waits for it. While it is settled, no part goes on:
            // it would run into send_timeout.
            r->connection->write->delayed = 0;
        }
        return below_source_body(r, in);
    }
    Hold &hold = ctx->hold;
    if (hold.own_length >= 0 && hold.state == HoldState::open) {
        return write_body(r, in);
    }
    for (ngx_chain_t *link = in; link; link = link->next) {
        hold.made += ngx_buf_size(link->buf);
        hold.made_whole = hold.made_whole || link->buf->last_buf;
    }
    if (hold.upstream_to_stop) {
        stop_upstream(*ctx);
    }
    ngx_int_t rc = below_source_body(r, in);
    // A filter that has no buffers left waits for the hold, and the hold would
    // wait for the last byte.
    if (rc != NGX_ERROR && hold.made_whole
        && ctx->state() == PaymentState::holding && !has_subrequests(*ctx)) {
        settle(*ctx);
    }
    return rc;
}

ngx_int_t headers_header(ngx_http_request_t *r)
{
    RequestCtx *ctx = ctx_of_main(r);
    if (ctx == nullptr) {
        return below_headers(r);
    }
    bool undecided = is_undecided(*ctx);
    if (undecided && ctx->state() == PaymentState::verified) {
        // nginx: add_trailer looks at this when the body ends, and its header
        // filter, which would set it, runs later.
        ctx->hold.expects_trailers = r->expect_trailers;
        r->expect_trailers = 1;
    }
    ngx_int_t rc = undecided ? below_reply(r) : below_headers(r);
    // nginx: a status instead of a header; the answer that it asks for comes
    // next.
    ctx->hold.refused = ctx->hold.refused || rc > NGX_OK;
    return rc;
}

ngx_int_t reply_header(ngx_http_request_t *r)
{
    RequestCtx *ctx = find_ctx(r);
    if (ctx && r != r->main) {
        return record_part(ctx->hold, r) ? below_reply(r)
                                         : static_cast<ngx_int_t>(NGX_ERROR);
    }
    return ctx && ctx->hold.to_wire ? write_header(r, ctx) : below_reply(r);
}

ngx_int_t hold_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    RequestCtx *ctx = find_ctx(r);
    if (ctx == nullptr) {
        return below_hold_body(r, in);
    }
    if (r == r->main) {
        return filter_body(*ctx, in);
    }
    // nginx: the postpone filter hands all output to the main request; without
    // it, bytes of a subrequest would overtake a response that is held.
    if (ctx->hold.state == HoldState::held && in && !r->subrequest_in_memory
        && !r->background && !r->header_only) {
        log_line(NGX_LOG_ERR, r->connection->log,
                 "output of a subrequest before the main response was paid "
                 "for is refused");
        return NGX_ERROR;
    }
    return below_hold_body(r, in);
}

ngx_int_t on_source_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    return guarded(r->connection->log, static_cast<ngx_int_t>(NGX_ERROR),
                   [&] { return source_body(r, in); });
}

ngx_int_t on_headers_header(ngx_http_request_t *r)
{
    return guarded(r->connection->log, static_cast<ngx_int_t>(NGX_ERROR),
                   [&] { return headers_header(r); });
}

ngx_int_t on_reply_header(ngx_http_request_t *r)
{
    return guarded(r->connection->log, static_cast<ngx_int_t>(NGX_ERROR),
                   [&] { return reply_header(r); });
}

ngx_int_t on_hold_header(ngx_http_request_t *r)
{
    return guarded(r->connection->log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        return r == r->main ? filter_header(r) : below_hold_header(r);
    });
}

ngx_int_t on_hold_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    return guarded(r->connection->log, static_cast<ngx_int_t>(NGX_ERROR),
                   [&] { return hold_body(r, in); });
}

// nginx: the order of this array, while it is walked for postconfiguration, is
// the order of filters, and an order of modules can only be asked for as
// "before". Modules that are loaded dynamically stand between the headers
// filter and the module's, whatever is written in `config`.
void move_after_headers_filter(ngx_cycle_t *cycle)
{
    constexpr char kHeaders[] = "ngx_http_headers_filter_module";
    ngx_uint_t target = 0;
    ngx_uint_t own = 0;
    for (ngx_uint_t i = 0; cycle->modules[i]; i++) {
        if (ngx_strcmp(cycle->modules[i]->name, kHeaders) == 0) {
            target = i + 1;
        } else if (cycle->modules[i] == &ngx_http_x402_headers_filter_module) {
            own = i;
        }
    }
    for (; target != 0 && own > target; own--) {
        cycle->modules[own] = cycle->modules[own - 1];
        cycle->modules[own - 1] = &ngx_http_x402_headers_filter_module;
    }
}

}  // namespace

ngx_int_t write_content_header(RequestCtx &ctx)
{
    ctx.hold.to_wire = true;
    ctx.r->expect_trailers = ctx.hold.expects_trailers;
    return below_headers(ctx.r);
}

ngx_int_t write_own_header(RequestCtx &ctx)
{
    ctx.hold.to_wire = true;
    return ngx_http_top_header_filter(ctx.r);
}

ngx_int_t write_header(ngx_http_request_t *r, RequestCtx *ctx)
{
    return finish_headers(r, ctx) ? below_hold_header(r)
                                  : static_cast<ngx_int_t>(NGX_ERROR);
}

// nginx: to ask for bytes that are not there is an error to its last filter.
ngx_int_t write_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    bool pending =
        in || r->out || (r->connection->buffered & NGX_LOWLEVEL_BUFFERED);
    return pending ? below_hold_body(r, in) : static_cast<ngx_int_t>(NGX_OK);
}

}  // namespace x402

using namespace x402;

ngx_int_t ngx_http_x402_hold_postconfiguration(ngx_conf_t *)
{
    below_hold_header = ngx_http_top_header_filter;
    ngx_http_top_header_filter = on_hold_header;
    below_hold_body = ngx_http_top_body_filter;
    ngx_http_top_body_filter = on_hold_body;
    return NGX_OK;
}

ngx_int_t ngx_http_x402_reply_postconfiguration(ngx_conf_t *cf)
{
    below_reply = ngx_http_top_header_filter;
    ngx_http_top_header_filter = on_reply_header;
    move_after_headers_filter(cf->cycle);
    return NGX_OK;
}

ngx_int_t ngx_http_x402_headers_postconfiguration(ngx_conf_t *)
{
    below_headers = ngx_http_top_header_filter;
    ngx_http_top_header_filter = on_headers_header;
    return NGX_OK;
}

ngx_int_t ngx_http_x402_source_postconfiguration(ngx_conf_t *cf)
{
    below_source_body = ngx_http_top_body_filter;
    ngx_http_top_body_filter = on_source_body;
    add_usage_filter(cf);
    return NGX_OK;
}
