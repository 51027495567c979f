// SPDX-License-Identifier: Apache-2.0
// x402_charge: reads in the answer of the content's producer what it has cost,
// while it is held, and sets the amount of the settlement. Stands above all
// filters that change content, and only in a configuration with x402_charge.
#include <algorithm>

#include "base/text_excerpt.hpp"
#include "nginx/core/ngx_http_x402_complex_value.hpp"
#include "nginx/core/ngx_http_x402_header_list.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/filter/ngx_http_x402_hold.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/payment/ngx_http_x402_payment.hpp"
#include "nginx/request/ngx_http_x402_payment_headers.hpp"
#include "nginx/request/ngx_http_x402_request_body.hpp"
#include "policy/settlement_override.hpp"
#include "policy/usage_charge.hpp"
#include "protocol/payment_header_names.hpp"

namespace x402 {

namespace {

constexpr std::size_t kFilePiece = 8 * 1024;

ngx_http_output_body_filter_pt below_usage_body;

// Of the answer as its producer made it; nginx's own gzip comes later.
bool is_compressed(ngx_http_request_t *r)
{
    bool compressed = false;
    if (r->upstream == nullptr) {
        return false;
    }
    each_header(
        r->upstream->headers_in.headers, [&](const ngx_table_elt_t &header) {
            if (header_is(header.key, "content-encoding")) {
                compressed = lower_case(view(header.value)) != "identity";
            }
        });
    return compressed;
}

// nginx: an upstream that is not buffered has room for one buffer, and waits
// while that is held. It is asked about buffering once the header has passed.
void buffer_upstream(ngx_http_request_t *r)
{
    ngx_http_upstream_t *u = r->upstream;
    if (u && u->pipe && !u->header_sent && u->conf->bufs.num > 0) {
        u->buffering = 1;
    }
}

// What a file buffer contains. False: it cannot be read.
bool feed_file(ReplyFields &fields, const ngx_buf_t &buffer)
{
    u_char piece[kFilePiece];
    for (off_t at = buffer.file_pos; at < buffer.file_last;) {
        auto size = static_cast<std::size_t>(std::min<off_t>(
            buffer.file_last - at, static_cast<off_t>(sizeof(piece))));
        ssize_t read = ngx_read_file(buffer.file, piece, size, at);
        if (read <= 0) {
            return false;
        }
        fields.feed({reinterpret_cast<const char *>(piece),
                     static_cast<std::size_t>(read)});
        at += read;
    }
    return true;
}

void feed(ReplyUsage &usage, const ngx_buf_t &buffer)
{
    if (ngx_buf_in_memory(&buffer)) {
        usage.fields.feed({reinterpret_cast<const char *>(buffer.pos),
                           static_cast<std::size_t>(buffer.last - buffer.pos)});
    } else if (buffer.in_file && !feed_file(usage.fields, buffer)) {
        usage.defect = "its file cannot be read";
    }
}

void read_usage(RequestCtx &ctx, const ngx_chain_t *in)
{
    ReplyUsage &usage = *ctx.usage;
    for (; in && !usage.ended; in = in->next) {
        feed(usage, *in->buf);
        if (in->buf->last_buf) {
            usage.fields.finish();
            usage.ended = true;
        }
    }
}

ngx_int_t on_usage_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    return guarded(r->connection->log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        RequestCtx *ctx = r == r->main ? find_ctx(r) : nullptr;
        if (ctx && ctx->usage
            && (ctx->state() == PaymentState::holding
                || ctx->state() == PaymentState::streaming)) {
            read_usage(*ctx, in);
        }
        return below_usage_body(r, in);
    });
}

// The same word as in a header, at the end of an answer (gRPC, or an HTTP/1
// upstream whose trailers nginx passes on), where it does not leave either.
std::vector<std::string> take_trailers(ngx_http_request_t *r)
{
    std::vector<std::string> stated;
    ngx_http_upstream_t *u = r->upstream;
    if (u == nullptr || u->headers_in.status_n == 0) {
        return stated;
    }
    each_header(u->headers_in.trailers, [&](ngx_table_elt_t &trailer) {
        if (header_is(trailer.key, kOverridesHeader)) {
            stated.push_back(copy(trailer.value));
            trailer.hash = 0;  // nginx: it is not copied to the client
        }
    });
    each_header(r->headers_out.trailers, [](ngx_table_elt_t &trailer) {
        if (header_is(trailer.key, kOverridesHeader)) {
            trailer.hash = 0;
        }
    });
    return stated;
}

Result<std::string> used_amount(RequestCtx &ctx,
                                const PaymentRequirements &requirements)
{
    std::vector<std::string> trailers = take_trailers(ctx.r);
    if (!trailers.empty()) {
        auto amount =
            settlement_amount(trailers.back(), trailers.size(), requirements);
        if (!amount) {
            return Problem{log_excerpt(amount.problem().text)};
        }
        return amount;
    }
    if (ctx.usage->defect) {
        return Problem{ctx.usage->defect};
    }
    std::vector<UsageTerm> terms;
    for (const UsageTerms::Term &term : ctx.quote.conf->charge->terms) {
        UsageTerm read;
        auto value = const_cast<ngx_http_complex_value_t *>(&term.value);
        auto factor = const_cast<ngx_http_complex_value_t *>(&term.factor);
        if (!evaluate(ctx.r, value, read.value)
            || (term.has_factor && !evaluate(ctx.r, factor, read.factor))) {
            return Problem{"memory ran out"};
        }
        terms.push_back(std::move(read));
    }
    auto charge = usage_charge(terms, requirements.amount);
    if (!charge) {
        return charge.problem();
    }
    if (charge->capped) {
        log_line(NGX_LOG_WARN, ctx.r->connection->log,
                 "the answer has cost more than the maximum that was signed "
                 "for, which is charged: raise the price, or limit what one "
                 "request may use");
    }
    return charge->amount;
}

}  // namespace

void begin_usage(RequestCtx &ctx)
{
    const LocationConf &conf = *ctx.quote.conf;
    if (conf.charge == nullptr || !ctx.overrides.empty()) {
        return;
    }
    ngx_http_request_t *r = ctx.r;
    ctx.usage = std::make_unique<ReplyUsage>(
        reply_form(view(r->headers_out.content_type)),
        main_conf(r)->reply_fields);
    if (is_compressed(r)) {
        ctx.usage->defect =
            "it is compressed by the upstream: tell it not to, with "
            "proxy_set_header Accept-Encoding \"\"";
    } else if (ctx.hold.made > 0) {
        ctx.usage->defect =
            "another module has changed it before its header was made";
    }
}

ngx_msec_t half_validity(const RequestCtx &ctx)
{
    std::int64_t left = ctx.payment->valid_before - ngx_time();
    left = std::min<std::int64_t>(std::max<std::int64_t>(left, 0), 86400);
    return static_cast<ngx_msec_t>(left) * 1000 / 2;
}

void extend_hold(RequestCtx &ctx)
{
    buffer_upstream(ctx.r);
    ctx.hold.until = ngx_current_msec
                     + std::min(half_validity(ctx), ctx.quote.conf->hold_wait);
}

bool has_ended(const RequestCtx &ctx)
{
    const ngx_http_upstream_t *u = ctx.r->upstream;
    return ctx.hold.last_seen || ctx.hold.made_whole
           || (u && u->header_sent && !u->buffering && u->length == 0);
}

void set_used_amount(RequestCtx &ctx)
{
    ngx_log_t *log = ctx.r->connection->log;
    if (ctx.r->method == NGX_HTTP_HEAD) {
        set_amount(ctx, "0");  // no content, and nothing that says its usage
        return;
    }
    if (!has_ended(ctx)) {
        log_line(
            NGX_LOG_WARN, log,
            "the answer did not end within x402_settle_buffer, "
            "x402_settle_wait or half of the time that its payment is valid: "
            "the maximum is charged, and the answer is no longer held");
        return;
    }
    set_amount_so_far(ctx, ctx.quote.conf->charge->unreadable_is_maximum);
}

void set_amount_so_far(RequestCtx &ctx, bool unreadable_is_maximum)
{
    ngx_log_t *log = ctx.r->connection->log;
    const PaymentRequirements &requirements = ctx.payment->option->requirements;
    if (!std::exchange(ctx.usage->ended, true)) {
        ctx.usage->fields.finish();
    }
    auto amount = used_amount(ctx, requirements);
    if (!amount) {
        log_line(NGX_LOG_ERR, log,
                 "the answer does not say what it has cost ("
                     + amount.problem().text + "), "
                     + (unreadable_is_maximum ? "the maximum" : "nothing")
                     + " is charged");
        amount = unreadable_is_maximum ? requirements.amount : "0";
    }
    set_amount(ctx, amount.value());
}

void add_usage_filter(ngx_conf_t *cf)
{
    if (main_conf(cf)->charges) {
        below_usage_body = ngx_http_top_body_filter;
        ngx_http_top_body_filter = on_usage_body;
    }
}

}  // namespace x402
