// SPDX-License-Identifier: Apache-2.0
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/filter/ngx_http_x402_hold.hpp"

namespace x402 {

namespace {

void record_last(RequestCtx &ctx, const ngx_chain_t *in)
{
    for (; in; in = in->next) {
        if (in->buf->last_buf) {
            ctx.hold.last_seen = true;
        }
    }
}

ngx_int_t hold_body(RequestCtx &ctx, ngx_chain_t *in)
{
    record_last(ctx, in);
    if (!keep_buffers(ctx, in)) {
        return NGX_ERROR;
    }
    hold_back(ctx);
    if (ctx.state() != PaymentState::holding) {
        return NGX_AGAIN;
    }
    if (upstream_died(ctx)) {
        return replace_broken(ctx, "broke off");
    }
    if (ctx.hold.last_seen) {
        if (const char *defect = content_defect(ctx)) {
            return replace_broken(ctx, defect);
        }
    }
    if (ctx.hold.last_seen || enough_was_read(ctx)) {
        settle(ctx);
    }
    return NGX_AGAIN;
}

ngx_int_t drop_body(RequestCtx &ctx, ngx_chain_t *in)
{
    record_last(ctx, in);
    discard_buffers(in);
    // The rest of the module's own answer.
    return write_body(ctx.r, nullptr);
}

// Money moved, and only a part of the content was released.
void record_defect(RequestCtx &ctx)
{
    bool leaves = ctx.state() == PaymentState::delivering
                  || ctx.state() == PaymentState::delivered;
    const char *defect = leaves ? content_defect(ctx) : nullptr;
    if (defect == nullptr) {
        return;
    }
    log_line(NGX_LOG_ERR, ctx.r->connection->log,
             std::string("paid content ") + defect
                 + " by a filter; it is owed to its payer");
    advance(ctx, PaymentEvent::content_broken);
}

ngx_int_t pass_body(RequestCtx &ctx, ngx_chain_t *in)
{
    for (ngx_chain_t *link = in; link; link = link->next) {
        ctx.hold.bytes += ngx_buf_size(link->buf);
    }
    bool was_seen = ctx.hold.last_seen;
    record_last(ctx, in);
    bool ends = ctx.hold.last_seen && !was_seen;
    ngx_int_t rc = write_body(ctx.r, in);
    record_delivery(ctx);
    if (ends) {
        record_defect(ctx);
    }
    return rc;
}

}  // namespace

ngx_int_t filter_body(RequestCtx &ctx, ngx_chain_t *in)
{
    switch (ctx.hold.state) {
    case HoldState::held:
        return hold_body(ctx, in);
    case HoldState::shut:
        return drop_body(ctx, in);
    case HoldState::open:
        break;
    }
    return pass_body(ctx, in);
}

const char *content_defect(const RequestCtx &ctx)
{
    ngx_http_request_t *r = ctx.r;
    if (r->header_only || r->method == NGX_HTTP_HEAD) {
        return nullptr;
    }
    if (ctx.hold.bytes == 0 && ctx.hold.made > 0) {
        return "was emptied";
    }
    return r->headers_out.content_length_n > ctx.hold.bytes ? "was cut short"
                                                            : nullptr;
}

}  // namespace x402
