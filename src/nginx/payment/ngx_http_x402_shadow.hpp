// SPDX-License-Identifier: Apache-2.0
// `x402 shadow`: what would have happened if the location asked for money. The
// access phase only notes the location; all the rest is done when the response
// has left, so that nothing about it can change: the offer is made and a
// payment is read and matched as for sale, and verified in the background
// (worker/ngx_http_x402_shadow_call.hpp). No claim is taken.
#ifndef NGX_HTTP_X402_SHADOW_HPP
#define NGX_HTTP_X402_SHADOW_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Access phase: this location would ask for money, unless the request is free.
void mark_shadow(ngx_http_request_t *r, const LocationConf *conf);

// Log phase, before the access log is written.
ngx_int_t on_log(ngx_http_request_t *r);

}  // namespace x402

#endif
