// SPDX-License-Identifier: Apache-2.0
// Payments that bought their content and whose cells went to others: a few bits
// each, in two sheets of the zone, so that they stay used until they expire.
//
// What was added is always found again until it expires. Of payments that were
// never added, at most one in twenty is found as well, when both sheets are
// full: such a payment is refused before it costs anything, and its payer signs
// another one. A sheet is emptied when everything in it has expired.
#ifndef X402_SESSION_USED_PAYMENTS_HPP
#define X402_SESSION_USED_PAYMENTS_HPP

#include <cstdint>

#include "session/claim_journal.hpp"
#include "session/claim_memory.hpp"

namespace x402 {

class UsedPayments {
public:
    // Lifetime: borrows.
    explicit UsedPayments(const ClaimMemory &memory) : memory_(memory) {}

    // `key`: of a claim that was delivered; `expires`: unix seconds. False:
    // both sheets are full of payments that can still be used.
    bool add(const Digest &key, std::int64_t expires, std::int64_t now);
    bool has(const Digest &key, std::int64_t now) const;

    // The sheets as records of the journal, numbered from 0 on.
    std::size_t piece_count() const;
    // Empty: nothing in it can still be used.
    std::string piece(std::size_t number, std::int64_t now) const;
    // False: it is of a table of another size, and says nothing here.
    bool restore(const JournalRecord &record);

private:
    template <class Visit>
    void for_bits_of(const Digest &key, Visit visit) const;
    void clear(unsigned sheet);
    std::size_t pieces_in_sheet() const;

    const ClaimMemory &memory_;
};

}  // namespace x402

#endif
