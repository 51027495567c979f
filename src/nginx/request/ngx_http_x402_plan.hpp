// Plans whose own pages say how they are paid, as one worker knows them.
#ifndef NGX_HTTP_X402_PLAN_HPP
#define NGX_HTTP_X402_PLAN_HPP

#include "nginx/offer/ngx_http_x402_location_offer.hpp"

namespace x402 {

// The requirement of a term with a plan, variables evaluated. `waiting`: the
// plan's page was asked for and is about to answer; nothing is made then.
// Problem: the credits are no number.
Result<PaymentRequirements> plan_now(ngx_http_request_t *r,
                                     const LocationTerm &term, bool &waiting);

}  // namespace x402

#endif
