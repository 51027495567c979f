// SPDX-License-Identifier: Apache-2.0
// Content without the facilitator's word (x402_verify local, trusted, off): it
// is made and held, and settle decides.
#ifndef NGX_HTTP_X402_UNVERIFIED_HPP
#define NGX_HTTP_X402_UNVERIFIED_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// The claim is taken, and the payment would be verified at `endpoint` next.
// False: do that.
bool serve_unverified(RequestCtx &ctx, Worker &worker, Endpoint &endpoint);

}  // namespace x402

#endif
