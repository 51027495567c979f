// SPDX-License-Identifier: Apache-2.0
// A client that comes back to one of several machines (x402_store): asks the
// store what request/guest_door wants to know.
#ifndef NGX_HTTP_X402_STORE_GUEST_HPP
#define NGX_HTTP_X402_STORE_GUEST_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// The access phase runs again when the store has answered, or does not.
// Precondition: there is a question.
void ask_store_for_guest(RequestCtx &ctx);

}  // namespace x402

#endif
