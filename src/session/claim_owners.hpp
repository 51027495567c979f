// SPDX-License-Identifier: Apache-2.0
// Which workers use the table: a slot for each, by process number, with a stamp
// that is never used twice. A claim names its owner by slot and stamp, so that
// the claims of a process that died have an owner that does not live.
#ifndef X402_SESSION_CLAIM_OWNERS_HPP
#define X402_SESSION_CLAIM_OWNERS_HPP

#include "session/claim_memory.hpp"

namespace x402 {

class ClaimOwners {
public:
    // Lifetime: borrows.
    ClaimOwners(const ClaimMemory &memory, IsAlive is_alive)
        : memory_(memory), is_alive_(is_alive)
    {
    }

    // A slot for the calling process; stamp 0: all are taken. `some_died`: a
    // slot of a dead process, or of this number's process before, was freed.
    ClaimOwner attach(std::int64_t process, bool &some_died);
    // The slot of another living process, which does not use the table itself:
    // the one that it has, else a new one. Stamp 0: all are taken.
    ClaimOwner owner_for(std::int64_t process);
    void release(ClaimOwner owner);
    // False: the slot is not the owner's.
    bool detach(ClaimOwner owner);
    bool lives(ClaimOwner owner) const;

private:
    ClaimOwner take_slot(std::int64_t process);

    const ClaimMemory &memory_;
    IsAlive is_alive_;
    ClaimOwner self_;  // saves asking whether this process lives
};

}  // namespace x402

#endif
