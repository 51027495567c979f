// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_quote.hpp"

#include <algorithm>
#include <iterator>

#include "base/digest_memo.hpp"
#include "nginx/core/ngx_http_x402_complex_value.hpp"
#include "nginx/core/ngx_http_x402_header_list.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/request/ngx_http_x402_batch.hpp"
#include "nginx/request/ngx_http_x402_request_body.hpp"

namespace x402 {

namespace {

// The port a client wrote into Host, with its colon; empty when there is none.
// What follows the last colon of a bare "[v6]" is not a number.
std::string_view written_port(ngx_http_request_t *r)
{
    if (r->headers_in.host == nullptr) {
        return {};
    }
    std::string_view host = view(r->headers_in.host->value);
    std::size_t digit = host.size();  // the first of those at the end
    while (digit > 0 && host[digit - 1] >= '0' && host[digit - 1] <= '9') {
        digit--;
    }
    bool is_port = digit > 0 && digit < host.size() && host[digit - 1] == ':';
    return is_port ? host.substr(digit - 1) : std::string_view();
}

bool is_secure(ngx_http_request_t *r)
{
#if (NGX_SSL || NGX_COMPAT)
    return r->connection->ssl != nullptr;
#else
    (void)r;
    return false;
#endif
}

std::string own_port(ngx_http_request_t *r)
{
    if (ngx_connection_local_sockaddr(r->connection, nullptr, 0) != NGX_OK) {
        return {};
    }
    in_port_t port = ngx_inet_get_port(r->connection->local_sockaddr);
    bool standard = port == (is_secure(r) ? 443 : 80);
    return standard || port == 0 ? "" : ":" + std::to_string(port);
}

struct OriginParts {
    std::string_view scheme;
    std::string_view host;
    std::string own_port;
    std::string_view port;  // of the Host header
};

// $scheme://, $host, the port of the Host header; without a Host (HTTP/1.0) the
// server's own name and port.
OriginParts origin_of(ngx_http_request_t *r)
{
    OriginParts origin;
    origin.scheme = is_secure(r) ? "https://" : "http://";
    origin.host = host_of(r);
    if (r->headers_in.server.len) {
        origin.port = written_port(r);
    } else {
        origin.own_port = own_port(r);
    }
    return origin;
}

// The origin and $request_uri. Empty: no memory.
std::string_view default_url(ngx_http_request_t *r)
{
    OriginParts origin = origin_of(r);
    auto [scheme, host, own, written] = origin;
    std::string_view port = own.empty() ? written : std::string_view(own);
    std::string_view uri = view(r->unparsed_uri);
    std::size_t length = scheme.size() + host.size() + port.size() + uri.size();
    auto *url = static_cast<char *>(ngx_pnalloc(r->pool, length));
    if (url == nullptr) {
        return {};
    }
    char *end = url;
    end += scheme.copy(end, scheme.size());
    end += host.copy(end, host.size());
    end += port.copy(end, port.size());
    uri.copy(end, uri.size());
    return {url, length};
}

// HEAD is GET: the same content without its body.
bool is_paid_method(const LocationConf &conf, std::string_view asked)
{
    return std::any_of(conf.methods->begin(), conf.methods->end(),
                       [&](const std::string &method) {
                           return method == asked
                                  || (asked == "HEAD" && method == "GET");
                       });
}

// Frameworks obey these.
constexpr std::string_view kMethodOverrides[] = {
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
};

// Money: a method that is free must not become one that is paid behind nginx.
// The value is what a framework may make of it: in any case, among others.
bool overrides_to_paid(ngx_http_request_t *r, const LocationConf &conf)
{
    bool paid = false;
    each_header(r->headers_in.headers, [&](const ngx_table_elt_t &header) {
        bool overrides = std::any_of(
            std::begin(kMethodOverrides), std::end(kMethodOverrides),
            [&](std::string_view name) { return header_is(header.key, name); });
        std::string word;
        std::string value =
            overrides ? copy(header.value) + " " : std::string();
        for (char letter : value) {
            bool in_word = (letter >= 'A' && letter <= 'Z')
                           || (letter >= 'a' && letter <= 'z');
            if (in_word) {
                word += static_cast<char>(letter & ~0x20);
                continue;
            }
            paid = paid || is_paid_method(conf, word);
            word.clear();
        }
    });
    return paid;
}

bool is_free_method(ngx_http_request_t *r, const LocationConf *conf)
{
    return conf->methods != nullptr
           && !is_paid_method(*conf, view(r->method_name))
           && !overrides_to_paid(r, *conf);
}

}  // namespace

// The values are evaluated once per request and location, so that the header
// filter comes to the same result as the access phase. No memory: not free.
bool is_bypassed(ngx_http_request_t *r, const LocationConf *conf)
{
    RequestCtx *ctx = find_ctx(r);
    if (ctx && ctx->free_at == conf) {
        return true;
    }
    if (conf->bypass == nullptr) {
        return false;
    }
    ctx = find_or_make_ctx(r);
    // They may come from the body, and are evaluated when it has been read.
    if (ctx == nullptr || (conf->read_body != 0 && !ctx->body_read)) {
        return false;
    }
    for (const auto &[asked, answer] : ctx->bypasses) {
        if (asked == conf) {
            return answer;
        }
    }
    bool bypassed = each_batch_element(*ctx, [&] {
        return ngx_http_test_predicates(r, conf->bypass) == NGX_DECLINED;
    });
    if (bypassed && ctx->body_missed) {
        log_line(NGX_LOG_ERR, r->connection->log,
                 "x402_bypass is ignored: " + std::string(kBodyMissed));
        bypassed = false;
    }
    ctx->bypasses.emplace_back(conf, bypassed);
    return bypassed;
}

std::string_view host_of(ngx_http_request_t *r)
{
    if (r->headers_in.server.len) {
        return view(r->headers_in.server);
    }
    auto *cscf = static_cast<ngx_http_core_srv_conf_t *>(
        ngx_http_get_module_srv_conf(r, ngx_http_core_module));
    return view(cscf->server_name);
}

std::string request_origin(ngx_http_request_t *r)
{
    OriginParts origin = origin_of(r);
    return std::string(origin.scheme) + std::string(origin.host)
           + (origin.own_port.empty() ? std::string(origin.port)
                                      : origin.own_port);
}

bool is_own_name(const std::vector<std::string> &names, std::string_view host)
{
    return std::any_of(
        names.begin(), names.end(), [&](const std::string &name) {
            bool below = name.front() == '.' && host.size() > name.size()
                         && host.substr(host.size() - name.size()) == name;
            return below || name == host;
        });
}

std::string own_origin(ngx_http_request_t *r, std::string_view host)
{
    return std::string(is_secure(r) ? "https://" : "http://")
           + std::string(host) + own_port(r);
}

ResourceParts resource_of(RequestCtx &ctx)
{
    ngx_http_request_t *r = ctx.r;
    auto *cscf = static_cast<ngx_http_core_srv_conf_t *>(
        ngx_http_get_module_srv_conf(r, ngx_http_core_module));
    ResourceParts parts;
    parts.server = view(cscf->server_name);
    // The port of the listening socket: its address differs between machines.
    if (const ngx_listening_t *listening = r->connection->listening) {
        parts.port = ngx_inet_get_port(listening->sockaddr);
    }
    parts.method = view(r->method_name);
    parts.host = host_of(r);
    parts.request_uri = view(r->unparsed_uri);
    if (ctx.body_digest) {
        parts.body = {reinterpret_cast<const char *>(ctx.body_digest->data()),
                      ctx.body_digest->size()};
    }
    return parts;
}

OfferState make_quote(RequestCtx &ctx, const LocationConf *conf)
{
    if (ctx.quote.offer != nullptr) {
        return OfferState::made;
    }
    const LocationOffer &location = location_offer(*conf);
    OfferNow now;
    OfferState state = offer_now(ctx.r, *conf, now);
    if (state == OfferState::free) {
        ctx.free_at = conf;
    }
    if (state != OfferState::made) {
        return state;
    }
    if (!evaluate(ctx.r, conf->resource, ctx.quote.resource_url)
        || !evaluate(ctx.r, conf->description, ctx.quote.description)
        || !evaluate(ctx.r, conf->mime_type, ctx.quote.mime_type)
        || !evaluate(ctx.r, conf->error, ctx.quote.unpaid_error)) {
        return OfferState::failed;
    }
    if (ctx.quote.resource_url.empty()) {
        ctx.quote.resource_url = default_url(ctx.r);
    }
    if (ctx.quote.resource_url.empty()) {
        return OfferState::failed;
    }
    ctx.quote.resource_url = bounded_url(ctx.quote.resource_url);
    ctx.quote.offer = std::move(now.offer);
    ctx.quote.prepared = std::move(now.prepared);
    ctx.quote.location = &location;
    ctx.quote.dialect = location.dialects.front();
    ctx.quote.conf = conf;
    return OfferState::made;
}

bool is_free(ngx_http_request_t *r, const LocationConf *conf)
{
    return (r->err_status >= NGX_HTTP_BAD_REQUEST && !conf->price_in_location)
           || is_free_method(r, conf) || is_bypassed(r, conf);
}

bool redeliver_key(ngx_http_request_t *r, const LocationConf *conf, Digest &out)
{
    std::string_view value;
    if (!evaluate(r, conf->redeliver_key, value)) {
        return false;
    }
    if (!value.empty()) {
        out = sha256("value " + std::string(value));
        return true;
    }
    // An empty value is not a key that all clients share, and a client cannot
    // pass for an address by writing it into a header.
    out = remembered_sha256("address " + copy(r->connection->addr_text));
    return true;
}

}  // namespace x402
