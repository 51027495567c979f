// Payment headers of the request, and the phase that sees them first.
#ifndef NGX_HTTP_X402_STRIP_HPP
#define NGX_HTTP_X402_STRIP_HPP

#include "nginx/ngx_http_x402_ctx.hpp"

namespace x402 {

// Preaccess, every request and subrequest of a paid location.
ngx_int_t on_preaccess(ngx_http_request_t *r);
// Precontent: the access phase of this location was passed.
ngx_int_t on_precontent(ngx_http_request_t *r);

// The payment headers that are still in the request. Lifetime: the list's.
Presented presented_payment(ngx_list_t &list);

}  // namespace x402

#endif
