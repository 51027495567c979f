// SPDX-License-Identifier: Apache-2.0
// What this request is asked for: fixed once, at the first location that
// charges, so that later changes (a map on $uri, a redirect) cannot make the
// parts of one payment disagree.
#ifndef NGX_HTTP_X402_QUOTE_HPP
#define NGX_HTTP_X402_QUOTE_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"
#include "nginx/request/ngx_http_x402_offer_now.hpp"
#include "policy/claim_key.hpp"

namespace x402 {

// Fills offer, location, conf, the resource object and the words for unpaid
// requests. Unless it was made, nothing may be sold. OfferState::free: the
// location is free for this request from now on.
OfferState make_quote(RequestCtx &ctx, const LocationConf *conf);

// Free by configuration. The one place where that is decided: an error page
// under an inherited price, a method that is not listed, a value of
// x402_bypass.
bool is_free(ngx_http_request_t *r, const LocationConf *conf);

// By a value of x402_bypass alone, or a price that is "free" at this moment.
bool is_bypassed(ngx_http_request_t *r, const LocationConf *conf);

// Host as the client named it, for keys: $host.
std::string_view host_of(ngx_http_request_t *r);

// Scheme, host and port by which the client asks: https://api.example.com
std::string request_origin(ngx_http_request_t *r);

// Whether the host that a client asks for is this server. Money: a client that
// chooses the host chooses what a wallet is asked to sign for, and what the
// server's key signs; a thief would use its own. `names`: those of
// LocationConf.server_names. `host`: without a port, in lower case.
bool is_own_name(const std::vector<std::string> &names, std::string_view host);

// Scheme, this host, and the port that the server listens on.
std::string own_origin(ngx_http_request_t *r, std::string_view host);

// The resource that a payment for this request buys: server, method, host, URI,
// and the body, if it was read (x402_read_body).
ResourceParts resource_of(RequestCtx &ctx);

// The digest of the client that may ask for content again that was paid for:
// x402_redeliver_key, by default the client's address. False: no memory.
bool redeliver_key(ngx_http_request_t *r, const LocationConf *conf,
                   Digest &out);

}  // namespace x402

#endif
