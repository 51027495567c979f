// SPDX-License-Identifier: Apache-2.0
#include "nginx/reply/ngx_http_x402_cors.hpp"

#include "base/header_syntax.hpp"
#include "nginx/core/ngx_http_x402_header_list.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "protocol/preflight_headers.hpp"

namespace x402 {

namespace {

constexpr std::string_view kExposed =
    "PAYMENT-REQUIRED, PAYMENT-RESPONSE, X-PAYMENT-RESPONSE, X402-Pass, "
    "Retry-After";
constexpr std::string_view kExposedOfMpp =
    "PAYMENT-REQUIRED, PAYMENT-RESPONSE, X-PAYMENT-RESPONSE, X402-Pass, "
    "Payment-Receipt, "
    "WWW-Authenticate, Retry-After";
constexpr std::string_view kMaxAge = "7200";

struct PreflightHeaders {
    bool origin = false;
    std::string_view method;
    std::string_view headers;
};

PreflightHeaders preflight_headers(ngx_http_request_t *r)
{
    PreflightHeaders found;
    each_header(r->headers_in.headers, [&](const ngx_table_elt_t &header) {
        if (header_is(header.key, "origin")) {
            found.origin = true;
        } else if (header_is(header.key, "access-control-request-method")) {
            found.method = view(header.value);
        } else if (header_is(header.key, "access-control-request-headers")) {
            found.headers = view(header.value);
        }
    });
    return found;
}

ngx_int_t send_preflight(ngx_http_request_t *r, const PreflightHeaders &asked)
{
    if (!add_header(r, "Access-Control-Allow-Methods", asked.method)
        || !add_header(r, "Access-Control-Allow-Headers",
                       allowed_header_names(asked.headers))
        || !add_header(r, "Access-Control-Max-Age", kMaxAge)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    r->expect_tested = 1;
    ngx_int_t rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }
    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;
    ngx_http_finalize_request(r, ngx_http_send_header(r));
    return NGX_DONE;
}

ngx_int_t preflight(ngx_http_request_t *r, const LocationConf *conf)
{
    if (!is_preflight(r, *conf)) {
        return NGX_DECLINED;
    }
    RequestCtx *ctx = find_or_make_ctx(r);
    if (ctx == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    // This is not content; the header filter need not hold it.
    ctx->passed = conf->offer;
    ctx->hold.to_wire = true;
    ctx->cache_control = RequestCtx::CacheControl::untouched;
    return send_preflight(r, preflight_headers(r));
}

}  // namespace

bool is_preflight(ngx_http_request_t *r, const LocationConf &conf)
{
    if (conf.cors.len == 0 || r->method != NGX_HTTP_OPTIONS) {
        return false;
    }
    PreflightHeaders asked = preflight_headers(r);
    return asked.origin && is_token(asked.method);
}

ngx_int_t on_preflight(ngx_http_request_t *r)
{
    const LocationConf *conf = loc_conf(r);
    if (!conf->enabled || conf->cors.len == 0 || conf->offer == nullptr
        || r != r->main || r->post_action
        || r->err_status >= NGX_HTTP_BAD_REQUEST) {
        return NGX_DECLINED;
    }
    return guarded(r->connection->log,
                   static_cast<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR),
                   [&] { return preflight(r, conf); });
}

bool add_cors_headers(ngx_http_request_t *r, const RequestCtx *ctx)
{
    // The module's own answer may have become an error page of another
    // location.
    const LocationConf *conf =
        ctx && ctx->quote.conf ? ctx->quote.conf : loc_conf(r);
    if (!conf->enabled || conf->cors.len == 0) {
        return true;
    }
    each_header(r->headers_out.headers, [](ngx_table_elt_t &header) {
        if (header_is(header.key, "access-control-allow-origin")) {
            header.hash = 0;
        }
    });
    std::string_view origin = view(conf->cors);
    return add_constant_header(r, "Access-Control-Allow-Origin", origin)
           && (origin == "*" || add_constant_header(r, "Vary", "Origin"))
           && add_constant_header(r, "Access-Control-Expose-Headers",
                                  conf->mpp ? kExposedOfMpp : kExposed);
}

}  // namespace x402
