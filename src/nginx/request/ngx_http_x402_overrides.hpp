// Scheme upto: what upstreams say the content has cost (x402 v2, settlement
// overrides).
#ifndef NGX_HTTP_X402_OVERRIDES_HPP
#define NGX_HTTP_X402_OVERRIDES_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Adds to ctx.overrides what the upstream of this moment says, once for each
// upstream. The header filter asks for the upstream that made the content; an
// upstream that answered with X-Accel-Redirect has to be asked before another
// one takes its place.
void record_overrides(RequestCtx &ctx);

}  // namespace x402

#endif
