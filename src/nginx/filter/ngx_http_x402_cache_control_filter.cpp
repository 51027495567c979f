// The stamp filter: below nginx's headers filter, so that it has the last word
// on caching (`expires` and `add_header` would otherwise undo it) and on CORS,
// and drops payment headers that are not ours.
#include <algorithm>

#include "nginx/core/ngx_http_x402_header_list.hpp"
#include "nginx/reply/ngx_http_x402_cors.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "protocol/payment_header_names.hpp"

namespace x402 {

namespace {

ngx_http_output_header_filter_pt next_stamp_filter;

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

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
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

bool stamp(RequestCtx &ctx)
{
    ngx_http_request_t *r = ctx.r;
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
    bool paid = ctx.stamp == RequestCtx::CacheControl::paid;
    return (paid ? add_header(r, "Cache-Control", kept + "private")
                 : add_constant_header(r, "Cache-Control", "no-store"))
           != nullptr;
}

// Settlement overrides (x402 v2) are between the upstream and us only, whether
// the location is paid or free; payment headers are ours where we had a say.
void drop_foreign(ngx_http_request_t *r, const RequestCtx *ctx)
{
    each_header(r->headers_out.headers, [&](ngx_table_elt_t &header) {
        if (header_is(header.key, kOverridesHeader)
            || (ctx && !is_own(*ctx, &header)
                && is_one_of(header.key, kResponseHeaders))) {
            header.hash = 0;
        }
    });
}

ngx_int_t stamp_filter(ngx_http_request_t *r)
{
    if (!main_conf(r)->paid) {
        return next_stamp_filter(r);
    }
    bool main = r == r->main;
    RequestCtx *ctx = main ? find_ctx(r) : nullptr;
    drop_foreign(r, ctx);
    if (main && !add_cors_headers(r, ctx)) {
        return NGX_ERROR;
    }
    if (ctx && ctx->stamp != RequestCtx::CacheControl::nothing
        && !stamp(*ctx)) {
        return NGX_ERROR;
    }
    return next_stamp_filter(r);
}

ngx_int_t stamp_filter_hook(ngx_http_request_t *r)
{
    return guarded(r->connection->log, static_cast<ngx_int_t>(NGX_ERROR),
                   [&] { return stamp_filter(r); });
}

}  // namespace

}  // namespace x402

ngx_int_t ngx_http_x402_stamp_postconfiguration(ngx_conf_t *)
{
    x402::next_stamp_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = x402::stamp_filter_hook;
    return NGX_OK;
}
