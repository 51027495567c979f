// SPDX-License-Identifier: Apache-2.0
#include "nginx/worker/ngx_http_x402_store_refill.hpp"

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/worker/ngx_http_x402_worker.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kLook = 1000;
constexpr ngx_msec_t kPause = 50;  // requests come first
constexpr unsigned kAtOnce = 64;   // claims
constexpr std::size_t kCellsAtOnce = 8 * 1024;

}  // namespace

StoreRefill::StoreRefill(Worker &worker)
    : worker_(worker),
      timer_(
          AtQuit::cancel,
          [](void *data) {
              auto *refill = static_cast<StoreRefill *>(data);
              if (ngx_exiting || ngx_quit || ngx_terminate) {
                  return;  // the worker that follows begins again
              }
              refill->timer_.arm(guarded(ngx_cycle->log, kLook,
                                         [&] { return refill->step(); }));
          },
          this)
{
    timer_.arm(kPause);
}

ngx_msec_t StoreRefill::step()
{
    SharedStore &store = *worker_.store;
    if (std::uint64_t more = store.take_forgotten()) {
        // A store that comes and goes keeps no claim from its turn.
        shards_ |= more;
        ends_ = place_ == 0 ? 1 : 2;
    }
    std::size_t end = place_ + kCellsAtOnce;
    for (unsigned i = 0; shards_ && i < kAtOnce && place_ < end; i++) {
        if (!store.has_room() || !write_next()) {
            break;
        }
    }
    return shards_ ? kPause : kLook;
}

// False: no claim, for now or at all.
bool StoreRefill::write_next()
{
    JournalRecord record;
    std::size_t next = place_;
    {
        LockedClaims claims(worker_.zone);
        ClaimRef claim = claims->next_kept(next, ngx_time());
        if (!claim) {
            place_ = next < claims->capacity() ? next : 0;
            shards_ = place_ != 0 || --ends_ > 0 ? shards_ : 0;
            return false;
        }
        record = claims->record(claim);
    }
    if (shards_ >> store_shard(record.payer) & 1) {
        write(record);
    }
    place_ = next;  // not before: without memory it is written later
    return true;
}

// Money: it raises what the store knows, and says nothing against what it has
// heard of the claim since (FINISH).
void StoreRefill::write(const JournalRecord &record)
{
    SharedStore &store = *worker_.store;
    StoreHold hold(store, record.key, store_shard(record.payer));
    hold.learn(record);
    StoreOrder order = hold.order(StoreScript::finish, record);
    hold.end();
    bool paid = record.state == static_cast<std::uint32_t>(ClaimState::paid);
    order.finish = paid ? FinishAs::owed : FinishAs::unknown;
    order.settle = record.settle;
    store.tell(std::move(order));
}

}  // namespace x402
