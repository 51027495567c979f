// SPDX-License-Identifier: Apache-2.0
// Payments that bought their content and whose cells went to others: a few bits
// each, in sheets of the zone (bloom_filter.hpp), so that they stay used until
// they expire. A payment that is mistaken for one of them is refused before it
// costs anything, and its payer signs another one.
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
    bool add(const Digest &key, std::int64_t expires, std::int64_t now)
    {
        return sheets().add(key, expires, now);
    }
    bool has(const Digest &key, std::int64_t now) const
    {
        return sheets().has(key, now);
    }

    // The sheets as records of the journal, numbered from 0 on.
    std::size_t piece_count() const;
    // Empty: nothing in it can still be used.
    std::string piece(std::size_t number, std::int64_t now) const;
    // False: it is of a table of another size, and says nothing here.
    bool restore(const JournalRecord &record);

private:
    RotatingBloomFilter sheets() const
    {
        return {memory_.header().used, memory_.used_sheet(0),
                memory_.used_words()};
    }
    std::size_t pieces_in_sheet() const;

    const ClaimMemory &memory_;
};

}  // namespace x402

#endif
