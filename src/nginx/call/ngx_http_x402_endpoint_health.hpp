// What the results of calls mean for the health of a facilitator, and which one
// is called next.
#ifndef NGX_HTTP_X402_ENDPOINT_HEALTH_HPP
#define NGX_HTTP_X402_ENDPOINT_HEALTH_HPP

#include <vector>

#include "base/sha256_digest.hpp"
#include "nginx/call/ngx_http_x402_facilitator_call.hpp"

namespace x402 {

// What a result means for the health of its facilitator. One line when the
// breaker opens or closes.
void record_health(Endpoint &endpoint, Operation operation, CallHealth health,
                   const Digest &payer, ngx_log_t *log);

// The next of them whose breaker lets calls through, taken out of the list;
// nullptr: none.
Endpoint *next_to_settle(std::vector<Endpoint *> &others);

}  // namespace x402

#endif
