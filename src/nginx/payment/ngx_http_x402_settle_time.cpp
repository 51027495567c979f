// When the money of a payment moves: what the operator wrote, what the dialect
// says of this payment option, and which payers get no content on trust.
#include "nginx/payment/ngx_http_x402_settle_time.hpp"

#include "nginx/core/ngx_http_x402_header_list.hpp"

namespace x402 {

namespace {

// A connection that changes its protocol cannot be held back.
bool asks_for_tunnel(ngx_http_request_t *r)
{
    bool websocket = false;
    each_header(r->headers_in.headers, [&](const ngx_table_elt_t &header) {
        if (header_is(header.key, "upgrade")) {
            websocket = websocket || header_is(header.value, "websocket");
        }
    });
    return websocket || view(r->method_name) == "CONNECT";
}

std::optional<SettleTime> written_settle_time(ngx_uint_t written)
{
    switch (written) {
    case NGX_HTTP_X402_SETTLE_AFTER:
        return SettleTime::after;
    case NGX_HTTP_X402_SETTLE_BEFORE:
        return SettleTime::before;
    case NGX_HTTP_X402_SETTLE_OFF:
        return SettleTime::off;
    default:
        return std::nullopt;
    }
}

}  // namespace

void set_settle_time(RequestCtx &ctx, bool distrusted)
{
    SettleTime &when = ctx.payment->settles;
    when = ctx.quote.dialect->settle_time(
        ctx.payment->option->requirements,
        written_settle_time(ctx.quote.conf->settle));
    if (when == SettleTime::off) {
        return;
    }
    ctx.tunnel = asks_for_tunnel(ctx.r);
    // Money: what upto costs is not known before content; its payer, which is
    // not trusted either, is refused once it is verified.
    distrusted = distrusted && !ctx.payment->scheme.upto;
    if (when == SettleTime::after && (ctx.tunnel || distrusted)) {
        when = SettleTime::before;
    }
}

}  // namespace x402
