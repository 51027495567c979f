// Before any access check: payment headers are remembered and taken out of the
// request, so that auth_request, mirror and upstreams never see them.
#include "nginx/ngx_http_x402_strip.hpp"

#include "nginx/ngx_http_x402_header_list.hpp"
#include "nginx/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

constexpr std::string_view kPaymentHeader = "payment-signature";

// Everything a client could use to pass for us or for a payment further on.
constexpr std::string_view kStripped[] = {
    kPaymentHeader,     "x-payment",          "payment-required",
    "payment-response", "x-payment-response",
};

// Core skips the access phase for subrequests; a location with a price of its
// own is closed to them unless the main request has paid, or came through the
// access phase of this very offer without having to.
ngx_int_t admit_subrequest(ngx_http_request_t *r,
                           const ngx_http_x402_loc_conf_t *conf)
{
    if (!conf->own) {
        return NGX_DECLINED;
    }
    const RequestCtx *ctx = find_ctx(r);
    bool admitted =
        ctx && (ctx->accepted || (ctx->passed && ctx->passed == conf->offer));
    if (admitted) {
        return NGX_DECLINED;
    }
    log_line(NGX_LOG_INFO, r->connection->log,
             "subrequest into a paid location refused: the main request has "
             "not paid");
    return NGX_HTTP_FORBIDDEN;
}

ngx_int_t take_headers(ngx_http_request_t *r,
                       const ngx_http_x402_loc_conf_t *conf)
{
    RequestCtx *ctx = find_or_make_ctx(r);
    if (ctx == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_list_t &list = r->headers_in.headers;
    if (!has_header(list, kStripped)) {
        return NGX_DECLINED;
    }
    ctx->presented = presented_payment(list);
    if (conf->forward_payment || unlink_headers(r->pool, list, kStripped)) {
        return NGX_DECLINED;
    }
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}

}  // namespace

Presented presented_payment(ngx_list_t &list)
{
    Presented found;
    each_header(list, [&found](const ngx_table_elt_t &header) {
        if (header_is(header.key, kPaymentHeader)) {
            found.value = header.value;
            found.count++;
        }
    });
    return found;
}

ngx_int_t on_preaccess(ngx_http_request_t *r)
{
    const ngx_http_x402_loc_conf_t *conf = loc_conf(r);
    if (!conf->enabled) {
        return NGX_DECLINED;
    }
    return guarded(r->connection->log,
                   static_cast<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR), [&] {
                       return r == r->main ? take_headers(r, conf)
                                           : admit_subrequest(r, conf);
                   });
}

ngx_int_t on_precontent(ngx_http_request_t *r)
{
    const ngx_http_x402_loc_conf_t *conf = loc_conf(r);
    if (conf->enabled && r == r->main) {
        if (RequestCtx *ctx = find_ctx(r)) {
            ctx->passed = conf->offer;
            ctx->let_in = true;
        }
    }
    return NGX_DECLINED;
}

}  // namespace x402
