// The gate in the response: header and body filter on top of all others. It
// keeps a response back until the money has moved, then lets it go under a
// receipt, or puts an answer of ours in its place.
#ifndef NGX_HTTP_X402_HOLD_HPP
#define NGX_HTTP_X402_HOLD_HPP

#include "nginx/ngx_http_x402_ctx.hpp"

namespace x402 {

// Steps the session when header and first body byte have reached the socket.
void note_delivery(RequestCtx &ctx);

}  // namespace x402

#endif
