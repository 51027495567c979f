// SPDX-License-Identifier: Apache-2.0
// How a claim table finds claims without knowing their payment: what a payer is
// owed, and which unknown outcomes are to be asked about.
//
// Both are lists through the cells themselves, derived from their states by
// ClaimCells, so that a claim is never missing for want of room.
#ifndef X402_SESSION_OPEN_LISTS_HPP
#define X402_SESSION_OPEN_LISTS_HPP

#include "session/claim_memory.hpp"

namespace x402 {

// Claims that may be owed, one list for each hash of payer and resource.
class OwedLists {
public:
    // Lifetime: borrows.
    explicit OwedLists(const ClaimMemory &memory) : memory_(memory) {}

    void link(ClaimCell &cell);
    void unlink(ClaimCell &cell);
    void clear();
    // The newest cell of the list, nullptr: none; and the next older one. Other
    // payers and resources may share a list.
    ClaimCell *first(const Digest &payer, const Digest &resource) const;
    ClaimCell *next(const ClaimCell &cell) const;

private:
    std::uint32_t &head_of(const Digest &payer, const Digest &resource) const;
    ClaimCell *at(std::uint32_t number) const
    {
        return number == 0 ? nullptr : &memory_.cell(number - 1);
    }

    const ClaimMemory &memory_;
};

// All open settlements, gone round: the one that was looked at last is at the
// end.
class DueList {
public:
    // Lifetime: borrows.
    explicit DueList(const ClaimMemory &memory) : memory_(memory) {}

    void link(ClaimCell &cell);
    void unlink(ClaimCell &cell);
    void clear() { memory_.header().due = {}; }
    ClaimCell *first() const { return at(memory_.header().due.behind); }
    ClaimCell *last() const { return at(memory_.header().due.before); }

    // When an UNKNOWN claim is asked about next: after 5, 15, 45 s ... 10 min.
    static void plan_retry(ClaimCell &cell, std::int64_t now);
    // Now; and it has no owner, and its settle request is here.
    static bool is_due(const ClaimCell &cell, std::int64_t now);

private:
    ClaimCell *at(std::uint32_t number) const
    {
        return number == 0 ? nullptr : &memory_.cell(number - 1);
    }

    const ClaimMemory &memory_;
};

}  // namespace x402

#endif
