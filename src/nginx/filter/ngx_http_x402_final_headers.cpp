// SPDX-License-Identifier: Apache-2.0
// The last word on caching and CORS, after nginx's headers filter (`expires`
// and `add_header` would otherwise undo it). Payment headers of others are
// dropped.
#include <algorithm>

#include "base/header_syntax.hpp"
#include "nginx/core/ngx_http_x402_header_list.hpp"
#include "nginx/filter/ngx_http_x402_hold.hpp"
#include "nginx/reply/ngx_http_x402_cors.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "protocol/mpp_challenge.hpp"
#include "protocol/payment_header_names.hpp"

namespace x402 {

namespace {

bool is_own(const RequestCtx &ctx, const ngx_table_elt_t *header)
{
    for (ngx_uint_t i = 0; i < ctx.own_header_count; i++) {
        if (ctx.own_headers[i] == header) {
            return true;
        }
    }
    return false;
}

// Instructions for shared caches beside Cache-Control: RFC 9213 (targeted
// fields: a name of the cache, then Cache-Control), and what vendors read. The
// end of a name decides, since each vendor puts its own name in front.
bool is_shared_cache_header(const ngx_str_t &name)
{
    constexpr std::string_view kTails[] = {
        "cache-control", "surrogate-control", "edge-control", "accel-expires",
        "cache-ttl",     "edge-ttl",          "cdn-ttl",      "varnish-ttl",
    };
    // All of these end in one of two letters, and few other headers do.
    u_char last = name.len ? ngx_tolower(name.data[name.len - 1]) : u_char{0};
    if (last != 'l' && last != 's') {
        return false;
    }
    for (std::string_view tail : kTails) {
        if (name.len < tail.size()) {
            continue;
        }
        std::size_t front = name.len - tail.size();
        ngx_str_t end = {tail.size(), name.data + front};
        if (header_is(end, tail)
            && (front == 0 || name.data[front - 1] == '-'
                || name.data[front - 1] == '_')) {
            return true;
        }
    }
    return false;
}

bool names_directive(std::string_view directive, std::string_view name)
{
    return header_is(to_ngx_str(directive.substr(0, directive.find('='))),
                     name);
}

// Appends the directives of one Cache-Control line that may stay on an answer
// that one client paid for.
void keep_private_directives(std::string_view line, std::string &kept)
{
    while (!line.empty()) {
        // A comma inside quotes (private="a, b") does not end a directive.
        bool quoted = false;
        std::size_t end = 0;
        for (; end < line.size() && (quoted || line[end] != ','); end++) {
            quoted = quoted != (line[end] == '"');
        }
        std::string_view directive = trimmed(line.substr(0, end));
        line.remove_prefix(std::min(line.size(), end + 1));
        if (directive.empty() || names_directive(directive, "public")
            || names_directive(directive, "s-maxage")
            || names_directive(directive, "private")) {
            continue;
        }
        kept += std::string(directive) + ", ";
    }
}

bool write_cache_control(ngx_http_request_t *r, bool no_store)
{
    std::string kept;
    each_header(r->headers_out.headers, [&](ngx_table_elt_t &header) {
        if (header.hash == 0) {
            return;
        }
        if (header_is(header.key, "cache-control")) {
            keep_private_directives(view(header.value), kept);
            header.hash = 0;
        } else if (is_shared_cache_header(header.key)) {
            header.hash = 0;
        }
    });
    return (no_store ? add_constant_header(r, "Cache-Control", "no-store")
                     : add_header(r, "Cache-Control", kept + "private"))
           != nullptr;
}

// Receipts, and challenges: other schemes belong to the upstream.
bool is_of_mpp(const ngx_table_elt_t &header)
{
    return header_is(header.key, kReceiptHeaderMppLower)
           || (header_is(header.key, "www-authenticate")
               && is_payment_credential(view(header.value)));
}

// Settlement overrides (x402 v2) are for the module only, whether the location
// is paid or free. Payment headers belong to the module if it took part.
void drop_foreign(ngx_http_request_t *r, const RequestCtx *ctx)
{
    // A pass or a signature is taken before there is a quote.
    const LocationConf *conf =
        ctx && ctx->quote.conf ? ctx->quote.conf : loc_conf(r);
    bool mpp = conf->mpp != nullptr;
    each_header(r->headers_out.headers, [&](ngx_table_elt_t &header) {
        if (header_is(header.key, kOverridesHeader)
            || (ctx && !is_own(*ctx, &header)
                && (is_one_of(header.key, kResponseHeaders)
                    || (mpp && is_of_mpp(header))))) {
            header.hash = 0;
        }
    });
}

}  // namespace

bool finish_headers(ngx_http_request_t *r, RequestCtx *ctx)
{
    if (!main_conf(r)->paid) {
        return true;
    }
    drop_foreign(r, ctx);
    if (!add_cors_headers(r, ctx)) {
        return false;
    }
    if (ctx && ctx->hold.own_length >= 0) {
        // Filters further up may have prepared to change its body.
        r->headers_out.content_length_n = ctx->hold.own_length;
        r->headers_out.content_length = nullptr;
    }
    using CacheControl = RequestCtx::CacheControl;
    switch (ctx ? ctx->cache_control : CacheControl::of_location) {
    case CacheControl::untouched:
        return true;
    case CacheControl::no_store:
        return write_cache_control(r, true);
    case CacheControl::paid:
        break;
    case CacheControl::of_location:
        // What is free for this client is not free for all.
        if (!loc_conf(r)->enabled && !(ctx && ctx->met_price)) {
            return true;
        }
        break;
    }
    return write_cache_control(r, false);
}

}  // namespace x402
