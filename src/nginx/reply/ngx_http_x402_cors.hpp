// SPDX-License-Identifier: Apache-2.0
// x402_cors: lets pages of other origins pay. Preflights are answered, and
// responses let the page read what it needs (Fetch standard, CORS protocol).
#ifndef NGX_HTTP_X402_CORS_HPP
#define NGX_HTTP_X402_CORS_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// What x402_cors answers before it asks for money.
bool is_preflight(ngx_http_request_t *r, const LocationConf &conf);

// Access phase, first in it: by its standard a preflight carries neither
// password nor payment, and asks for no content.
ngx_int_t on_preflight(ngx_http_request_t *r);

// From the last header filter, for a main request; ctx may be nullptr. One
// Access-Control-Allow-Origin leaves, the module's. False: no memory.
bool add_cors_headers(ngx_http_request_t *r, const RequestCtx *ctx);

}  // namespace x402

#endif
