// SPDX-License-Identifier: Apache-2.0
// Whether the operator's rules allow a payer (x402_deny, x402_limit_payer,
// x402_quota): asked once its payment was verified, before content is made.
#ifndef NGX_HTTP_X402_PAYER_CHECK_HPP
#define NGX_HTTP_X402_PAYER_CHECK_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Whether the location asks something of payers, so that none is settled
// before it was verified.
bool has_payer_rules(const LocationConf &conf);

// Money: nothing is charged where this says no, and the claim is free again.
// False: the payment was ended with 403 or 429. Precondition: verified.
bool payer_may_buy(RequestCtx &ctx);

// An internal redirect of a payment that was verified or settled: the rules of
// the location that it leads to. Content that is owed is asked about x402_deny
// alone, and counts for nothing. False: the payment was ended with 403, 429, or
// 500 where nothing but the client says who pays; what was settled is owed.
bool payer_may_go_on(RequestCtx &ctx, const LocationConf &conf);

// The same rules for a client that paid before. False: ctx.answer is 403 or
// 429. Precondition: ctx.returning.
bool returning_payer_allowed(RequestCtx &ctx, const LocationConf &conf);

}  // namespace x402

#endif
