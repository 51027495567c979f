// SPDX-License-Identifier: Apache-2.0
// The access phase: admits the requests that paid and asks the others for
// money.
#ifndef NGX_HTTP_X402_ACCESS_HPP
#define NGX_HTTP_X402_ACCESS_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Access phase; phases.cpp puts it last. NGX_OK only for a payment that was
// accepted.
ngx_int_t on_access(ngx_http_request_t *r);

}  // namespace x402

#endif
