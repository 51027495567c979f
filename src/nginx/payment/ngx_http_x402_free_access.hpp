// SPDX-License-Identifier: Apache-2.0
// What opens a location without a payment: a pass, a signature, a free quota.
#ifndef NGX_HTTP_X402_FREE_ACCESS_HPP
#define NGX_HTTP_X402_FREE_ACCESS_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Of the access phase. NGX_OK: nothing opens it, the request has to be paid.
// NGX_DECLINED: the location is free for this request. NGX_AGAIN: the store is
// asked, and the phase runs again. Anything else: it is answered, and the phase
// returns this.
ngx_int_t admit_free(RequestCtx &ctx, const LocationConf *conf);

}  // namespace x402

#endif
