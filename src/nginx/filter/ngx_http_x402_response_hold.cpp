// SPDX-License-Identifier: Apache-2.0
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/filter/ngx_http_x402_hold.hpp"
#include "nginx/reply/ngx_http_x402_answer_body.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"

namespace x402 {

namespace {

// nginx: r->buffered has four bits; SSI, sub and copy use the other three.
constexpr unsigned kBuffered = 0x08;

// Content of no bytes that carries a flag: flush, sync, last.
bool is_special(const ngx_buf_t *buffer)
{
    return ngx_buf_size(buffer) == 0;
}

// A producer takes a buffer of size zero for consumed and reuses the struct at
// once, so that the flags must be kept in a copy.
ngx_buf_t *own_copy(ngx_pool_t *pool, const ngx_buf_t *buffer)
{
    auto *copied = static_cast<ngx_buf_t *>(ngx_calloc_buf(pool));
    if (copied) {
        copied->flush = buffer->flush;
        copied->sync = buffer->sync;
        copied->last_buf = buffer->last_buf;
        copied->last_in_chain = buffer->last_in_chain;
    }
    return copied;
}

void clear_hold(RequestCtx &ctx)
{
    ngx_http_request_t *r = ctx.r;
    r->buffered &= static_cast<unsigned>(~kBuffered) & 0x0f;
    r->connection->buffered &= static_cast<unsigned>(~kBuffered) & 0xff;
    r->connection->write->delayed = 0;
    if (ctx.hold.timer.timer_set) {
        ngx_del_timer(&ctx.hold.timer);
    }
}

void free_held_links(RequestCtx &ctx)
{
    for (ngx_chain_t *link = ctx.hold.chain; link;) {
        ngx_chain_t *next = link->next;
        ngx_free_chain(ctx.r->pool, link);
        link = next;
    }
    ctx.hold.chain = nullptr;
    ctx.hold.last = &ctx.hold.chain;
}

void reset_headers(ngx_http_request_t *r, const OwnReply &answer,
                   const AnswerBody &body)
{
    ngx_http_clean_header(r);
    r->headers_out.status = answer.status;
    r->headers_out.status_line.len = 0;
    r->allow_ranges = 0;
    r->disable_not_modified = 1;
    r->expect_trailers = 0;
    r->expect_tested = 1;
    r->err_status = 0;
    r->header_only = r->method == NGX_HTTP_HEAD;
    set_body_headers(r, body);
}

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
                 + "; it is owed to its payer");
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

// nginx: an upstream that breaks off ends its subrequest like one that is done,
// without a buffer that says so; an error page of another location has its own
// status where error_page says so (=).
const char *part_defect(const ContentPart &part)
{
    if (part.r->headers_out.status >= NGX_HTTP_INTERNAL_SERVER_ERROR) {
        return "has an error of 500 or more in place of a part (subrequest)";
    }
    const ngx_http_upstream_t *upstream = part.r->upstream;
    return upstream && upstream->header_sent && !part.ended
               ? "lacks the end of a part (subrequest), whose upstream broke "
                 "off"
               : nullptr;
}

}  // namespace

void hold_back(RequestCtx &ctx)
{
    ngx_http_request_t *r = ctx.r;
    r->buffered |= kBuffered;
    r->connection->buffered |= kBuffered;
    // Set at every held call: any timer of the write event clears it. Parts of
    // content that subrequests make have to follow one another.
    bool more = ctx.state() == PaymentState::holding && has_subrequests(ctx);
    ngx_event_t *write = r->connection->write;
    write->delayed = !more;
    // nginx: a main request that waits for its parts is timed (send_timeout),
    // and the time would go on while its client is sent nothing.
    if (!more && write->timer_set) {
        ngx_del_timer(write);
    }
}

bool keep_buffers(RequestCtx &ctx, ngx_chain_t *in)
{
    ngx_pool_t *pool = ctx.r->pool;
    for (; in; in = in->next) {
        ngx_chain_t *link = ngx_alloc_chain_link(pool);
        if (link == nullptr) {
            return false;
        }
        link->next = nullptr;
        link->buf = is_special(in->buf) ? own_copy(pool, in->buf) : in->buf;
        if (link->buf == nullptr) {
            return false;
        }
        ctx.hold.bytes += ngx_buf_size(in->buf);
        *ctx.hold.last = link;
        ctx.hold.last = &link->next;
    }
    return true;
}

void discard_buffers(ngx_chain_t *in)
{
    for (; in; in = in->next) {
        in->buf->pos = in->buf->last;
        in->buf->file_pos = in->buf->file_last;
    }
}

void discard_held(RequestCtx &ctx)
{
    discard_buffers(ctx.hold.chain);
    free_held_links(ctx);
}

ngx_int_t release_response(RequestCtx &ctx)
{
    ngx_http_request_t *r = ctx.r;
    clear_hold(ctx);
    ctx.hold.state = HoldState::open;
    if (ctx.hold.released && !add_paid_headers(ctx)) {
        return NGX_ERROR;
    }
    ngx_int_t rc = write_content_header(ctx);
    if (rc == NGX_ERROR || rc > NGX_OK) {
        return NGX_ERROR;
    }
    if (r->header_only) {
        discard_held(ctx);
        ctx.hold.state = HoldState::shut;
        return NGX_OK;
    }
    rc = write_body(r, ctx.hold.chain);
    free_held_links(ctx);
    return rc;
}

void stop_upstream(RequestCtx &ctx)
{
    ngx_http_upstream_t *u = ctx.r->upstream;
    ctx.hold.upstream_to_stop = false;
    if (u == nullptr || ctx.hold.made_whole) {
        return;
    }
    u->keepalive = 0;
    if (!u->header_sent) {
        // Its body has not begun: for nginx there is none.
        u->headers_in.content_length_n = 0;
        u->headers_in.chunked = 0;
        u->upgrade = 0;
        ctx.hold.upstream_to_stop = true;
        return;
    }
    if (u->peer.connection == nullptr) {
        return;
    }
    if (!u->buffering) {
        u->length = 0;
    } else if (u->pipe) {
        // A cached copy would be cut short and stored as if complete.
        if (u->cacheable || u->store) {
            u->pipe->upstream_error = 1;
        } else {
            u->pipe->upstream_done = 1;
        }
    }
}

ngx_int_t replace_response(RequestCtx &ctx, const OwnReply &answer)
{
    clear_hold(ctx);
    discard_held(ctx);
    ctx.hold.state = HoldState::shut;
    stop_upstream(ctx);

    AnswerBody body;
    if (!choose_answer_body(ctx, answer, body)) {
        return NGX_ERROR;
    }
    reset_headers(ctx.r, answer, body);
    ctx.own_header_count = 0;
    ctx.challenged = false;  // the headers that were added are gone
    if (!add_answer_headers(ctx, answer)) {
        return NGX_ERROR;
    }
    ngx_chain_t *out = body_chain(ctx.r, body);
    if (out == nullptr) {
        return NGX_ERROR;
    }
    ctx.hold.own_length = static_cast<off_t>(body.text.len);
    ngx_int_t rc = write_own_header(ctx);
    if (rc != NGX_OK || ctx.r->header_only) {
        return rc > NGX_OK ? static_cast<ngx_int_t>(NGX_ERROR) : rc;
    }
    return write_body(ctx.r, out);
}

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
        return "was emptied by a filter";
    }
    if (r->headers_out.content_length_n > ctx.hold.bytes) {
        return "was cut short by a filter";
    }
    for (const ContentPart *part = ctx.hold.parts; part; part = part->next) {
        if (const char *defect = part_defect(*part)) {
            return defect;
        }
    }
    return nullptr;
}

}  // namespace x402
