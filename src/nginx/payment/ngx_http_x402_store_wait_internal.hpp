// SPDX-License-Identifier: Apache-2.0
// Private to the files of a payment that waits for the store: store_wait before
// it is verified, store_verified afterwards.
#ifndef NGX_HTTP_X402_STORE_WAIT_INTERNAL_HPP
#define NGX_HTTP_X402_STORE_WAIT_INTERNAL_HPP

#include "base/spare_blocks.hpp"
#include "nginx/payment/ngx_http_x402_phase_wait.hpp"
#include "nginx/payment/ngx_http_x402_store_wait.hpp"
#include "nginx/worker/ngx_http_x402_shared_store.hpp"

namespace x402 {

// What a request waits for the store with.
struct StoreWait {
    StoreCall call;
    PeerChoice peer;
    ClaimView claim;       // that is to be resumed
    bool copied = false;   // the claim of this machine, to the store
    bool refused = false;  // by the offer, unless the store knows the payment
};

// Of payments in flight, and as many holds: what a worker keeps after a burst
// is 1.5 MB.
constexpr std::size_t kMostSpareWaits = 1024;

StoreWait &store_wait_of(RequestCtx &ctx);
StoreWait &begin_store_wait(RequestCtx &ctx);
Worker &worker_here(const RequestCtx &ctx);
// For a claim of this key, of the payment's payer and resource.
std::shared_ptr<StoreHold> hold_for(RequestCtx &ctx, const Digest &key);

// As resume_request(); but a request that waits for its next look at the claim
// is not disturbed.
template <class Body> void resume_from_wait(RequestCtx &ctx, Body &&body)
{
    bool taken = guarded(ctx.r->connection->log, false, [&] {
        body();
        return true;
    });
    if (!taken) {
        give_up_request(ctx.r);
    } else if (ctx.state() != PaymentState::arrived
               || !ctx.claim_wait_timer.timer_set) {
        resume_phases(ctx.r);
    }
}

// Whether a claim that is over, as the store says, was known to be less here.
void end_local_claim(RequestCtx &ctx, const StoredClaim &stored);
// Tells the store what this machine knows of a claim of which it knows less:
// after a failover, or when it was emptied. False: this machine does not,
// either.
bool copy_claim_to_store(RequestCtx &ctx, const StoreHold &hold,
                         const ClaimView &claim);
// A claim that was resumed in the store, and could not be on this machine, is
// given back.
void give_back(StoreHold &hold, const JournalRecord &record);
// The same for one that was not resumed: the store may have granted it, and too
// few replicas know that it has.
void give_back_unsure(StoreHold &hold, const StoreReply &reply);
// The local claim of what the store has granted. state free: the zone has no
// room for it.
ClaimView adopt_granted(RequestCtx &ctx, const StoreAnswer &answer,
                        JournalRecord &record);
// Content is made for the claim, as the store does not know yet: how often, and
// perhaps not even that it is paid.
void record_execution(RequestCtx &ctx);

}  // namespace x402

#endif
