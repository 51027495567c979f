// SPDX-License-Identifier: Apache-2.0
// How many of a worker's places among the payments in flight each client
// address, or each payer, holds. Without it one client could hold them all. One
// object for each worker; counts are forgotten with the process, as the places
// are.
#ifndef X402_SESSION_SLOT_QUOTA_HPP
#define X402_SESSION_SLOT_QUOTA_HPP

#include <cstddef>
#include <map>

#include "base/sha256_digest.hpp"

namespace x402 {

class SlotQuota {
public:
    // One place more for the holder, which may hold `most` (at least one).
    // False: it holds that many; nothing is counted. Memory is bounded by what
    // is held: a holder without a place is forgotten. Throws std::bad_alloc.
    bool acquire(const Digest &holder, std::size_t most);
    // The place is free again. Precondition: acquire() said true.
    void release(const Digest &holder) noexcept;

    // Holders that have a place, for tests: those without one are forgotten.
    std::size_t holders() const { return held_.size(); }

private:
    std::map<Digest, std::size_t> held_;
    // The memory of the last holder that was forgotten, for the next one.
    std::map<Digest, std::size_t>::node_type spare_;
};

// Payments that wait for their content may keep all places taken, because their
// payers are not charged yet: a slow request body or slow content costs nothing
// until it is complete. So the share shrinks with the places that are free:
// whatever the number of holders, some stay free for one that holds none.

// Places that one address may hold for verified payments when `free` are left.
constexpr std::size_t waiting_share_of_address(std::size_t free)
{
    return free;
}

// Places that one payer may hold.
constexpr std::size_t waiting_share_of_payer(std::size_t free)
{
    return free / 8;
}

// Each holder has one place at least, and holders may be without number: keys
// cost nothing, and a cent in a wallet not much. So all of them together leave
// an eighth of the room for payments that are verified or settled, which takes
// a moment; and those that no facilitator has verified (x402_verify) leave
// half.
constexpr bool may_wait_for_content(std::size_t free, std::size_t room,
                                    bool verified)
{
    return free >= room / (verified ? 8 : 2);
}

}  // namespace x402

#endif
