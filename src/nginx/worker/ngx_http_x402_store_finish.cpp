// SPDX-License-Identifier: Apache-2.0
// What becomes of a claim, here and in the store.
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/worker/ngx_http_x402_settlement.hpp"
#include "nginx/worker/ngx_http_x402_shared_store.hpp"

namespace x402 {

namespace {

FinishAs finish_of(ClaimChange change)
{
    switch (change) {
    case ClaimChange::delivered:
        return FinishAs::delivered;
    case ClaimChange::owed:
        return FinishAs::owed;
    case ClaimChange::refused:
        return FinishAs::refused;
    case ClaimChange::unknown:
        return FinishAs::unknown;
    default:
        return FinishAs::free;
    }
}

bool ends_hold(ClaimChange change)
{
    return change == ClaimChange::free || change == ClaimChange::abandoned
           || finish_of(change) != FinishAs::free;
}

}  // namespace

void SharedStore::change_claim(ngx_shm_zone_t *zone, StoreHold *hold,
                               ClaimRef claim, ClaimChange change)
{
    if (hold == nullptr || hold->over() || !ends_hold(change)) {
        apply_claim_change(zone, claim, change);
        return;
    }
    FinishAs how = finish_of(change);
    JournalRecord record;
    // Money: the local claim changes, whatever memory is refused for.
    bool known = guarded(ngx_cycle->log, false, [&] {
        record = LockedClaims(zone)->record(claim);
        return true;
    });
    apply_claim_change(zone, claim, change);
    guarded(ngx_cycle->log, 0, [&] {
        bool keeps = how == FinishAs::unknown || how == FinishAs::owed;
        if (keeps) {
            record = LockedClaims(zone)->record(claim);
        }
        // Money: of a claim that is not this machine's, as while it is asked
        // for, nothing is known that could be told; its lease ends.
        if (!known || record.key != hold->claim().key) {
            hold->end();
            return 0;
        }
        // What is over needs no record, which takes a digest to make.
        StoreOrder order = keeps ? hold->order(StoreScript::finish, record)
                                 : hold->order(StoreScript::finish);
        order.finish = how;
        if (keeps) {
            order.settle = std::move(record.settle);
        } else {
            order.facts.expires = record.expires;
            order.facts.flags = record.flags;
            order.facts.executions = record.executions;
        }
        hold->end();
        hold->store().tell(std::move(order));
        bool nothing = how == FinishAs::free || how == FinishAs::refused;
        if (nothing && hold->name_ && hold->name_shard_ != hold->claim_.shard) {
            hold->store().tell(hold->name_order(NameCall::forget, ngx_time()));
        }
        return 0;
    });
}

}  // namespace x402
