// SPDX-License-Identifier: Apache-2.0
// A request that waits in the access phase, for a call or for a payment that
// another request is working on, and how it continues.
#ifndef NGX_HTTP_X402_PHASE_WAIT_HPP
#define NGX_HTTP_X402_PHASE_WAIT_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// Continues the phases of the request. The request may be gone afterwards.
void resume_phases(ngx_http_request_t *r);

// Ends it with 500; its cleanup gives the claim back. It may be gone
// afterwards.
void give_up_request(ngx_http_request_t *r);

// Hands the answer of a call to the request and continues it. If that throws,
// the request ends with 500 and its cleanup gives the claim back. The request
// may be gone afterwards.
template <class Body> void resume_request(ngx_http_request_t *r, Body &&body)
{
    bool taken = guarded(r->connection->log, false, [&] {
        body();
        return true;
    });
    if (taken) {
        resume_phases(r);
        return;
    }
    give_up_request(r);
}

constexpr ngx_msec_t kClaimLookInterval = 50;
// True: this request waits, and its access phase will run again. False: it has
// waited long enough, or its client has as many unverified and waiting payments
// as it may have. `interval`: until the next look.
bool wait_for_claim(RequestCtx &ctx, ngx_msec_t interval = kClaimLookInterval);

}  // namespace x402

#endif
