// SPDX-License-Identifier: Apache-2.0
#include "session/claim_owners.hpp"

namespace x402 {

ClaimOwner ClaimOwners::attach(std::int64_t process, bool &some_died)
{
    ClaimHeader &header = memory_.header();
    some_died = false;
    for (WorkerSlot &worker : header.workers) {
        // The process that had this number before is dead, whatever its slot.
        if (worker.stamp != 0
            && (worker.process == process || !is_alive_(worker.process))) {
            worker.stamp = 0;
            some_died = true;
        }
    }
    self_ = take_slot(process);
    return self_;
}

ClaimOwner ClaimOwners::owner_for(std::int64_t process)
{
    const ClaimHeader &header = memory_.header();
    for (std::uint32_t slot = 0; slot < kWorkers; slot++) {
        const WorkerSlot &worker = header.workers[slot];
        if (worker.stamp != 0 && worker.process == process) {
            return {slot, worker.stamp};
        }
    }
    return take_slot(process);
}

void ClaimOwners::release(ClaimOwner owner)
{
    if (owner.stamp != 0) {
        memory_.header().workers[owner.slot].stamp = 0;
    }
}

ClaimOwner ClaimOwners::take_slot(std::int64_t process)
{
    ClaimHeader &header = memory_.header();
    for (std::uint32_t slot = 0; slot < kWorkers; slot++) {
        WorkerSlot &worker = header.workers[slot];
        if (worker.stamp != 0) {
            continue;
        }
        worker.process = process;
        store_fence();
        std::uint32_t stamp = header.next_stamp++;
        if (stamp == 0) {
            stamp = header.next_stamp++;
        }
        worker.stamp = stamp;
        return {slot, stamp};
    }
    return {};
}

bool ClaimOwners::detach(ClaimOwner owner)
{
    ClaimHeader &header = memory_.header();
    if (owner.stamp == 0 || header.workers[owner.slot].stamp != owner.stamp) {
        return false;
    }
    header.workers[owner.slot].stamp = 0;
    self_ = {};
    return true;
}

bool ClaimOwners::lives(ClaimOwner owner) const
{
    if (owner.stamp == 0 || owner.slot >= kWorkers) {
        return false;
    }
    if (owner.slot == self_.slot && owner.stamp == self_.stamp) {
        return true;
    }
    const WorkerSlot &worker = memory_.header().workers[owner.slot];
    return worker.stamp == owner.stamp && is_alive_(worker.process);
}

}  // namespace x402
