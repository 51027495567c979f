// What the header of an answer means for the money: charged or not, held,
// passed, released or shut out.
#ifndef NGX_HTTP_X402_HEADER_FILTER_HPP
#define NGX_HTTP_X402_HEADER_FILTER_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// The header of a main request, from the filter on top of all others; returns
// what a header filter returns.
ngx_int_t filter_header(ngx_http_request_t *r);

}  // namespace x402

#endif
