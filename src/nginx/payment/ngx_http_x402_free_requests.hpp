// SPDX-License-Identifier: Apache-2.0
// x402_free: the requests of a client that are free before the price applies.
// The access phase asks once for each location; the counts are in shared memory
// (zone/small_zones).
#ifndef NGX_HTTP_X402_FREE_REQUESTS_HPP
#define NGX_HTTP_X402_FREE_REQUESTS_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Whether this request is one of its key's free ones; counts it. The location
// is free for this request from then on.
bool take_free_request(RequestCtx &ctx, const LocationConf *conf);

// Whether it was one of them, here or where it was redirected from.
bool was_given_away(const RequestCtx &ctx, const LocationConf &conf);

}  // namespace x402

#endif
