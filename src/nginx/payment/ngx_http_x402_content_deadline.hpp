// SPDX-License-Identifier: Apache-2.0
// How long a verified payment may wait for its content.
#ifndef NGX_HTTP_X402_CONTENT_DEADLINE_HPP
#define NGX_HTTP_X402_CONTENT_DEADLINE_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// The payment was verified, and content is made before it is settled. For as
// long as the offer says that a payment may take (maxTimeoutSeconds, x402 v2
// section 5.1.2) and the payment is valid, whichever is shorter; then the
// request ends uncharged and its place is free. Over once the content has
// begun: see advance().
void arm_content_deadline(RequestCtx &ctx);

}  // namespace x402

#endif
