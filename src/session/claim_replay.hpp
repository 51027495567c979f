// SPDX-License-Identifier: Apache-2.0
// Fills a new claim table from a journal.
#ifndef X402_SESSION_CLAIM_REPLAY_HPP
#define X402_SESSION_CLAIM_REPLAY_HPP

#include <string_view>

#include "session/claim_cells.hpp"
#include "session/settle_blocks.hpp"

namespace x402 {

class ClaimReplay {
public:
    // Lifetime: borrows all.
    ClaimReplay(const ClaimMemory &memory, ClaimCells &cells,
                SettleBlocks &blocks, PayerRecords &payers, UsedPayments &used)
        : memory_(memory),
          cells_(cells),
          blocks_(blocks),
          payers_(payers),
          used_(used)
    {
    }

    // A claim that was being settled is UNKNOWN then, and content that was
    // being delivered is owed.
    ReplayReport run(std::string_view journal, std::int64_t now);

    // The same of a journal that processes of another table still write:
    // `other` stands for all of them. What they have in hand is in the hands of
    // `other` here, and in no other until it dies; what this table has in
    // hand, or has changed since, stays as it is. So records may be read again.
    ReplayReport follow(std::string_view journal, ClaimOwner other,
                        std::int64_t now);

    // A claim that a store of several machines has, and without an owner there.
    // A claim that is in use here, or that is over, stays as it is: false. One
    // that is known to be paid here, and unknown there, stays so, too: true.
    bool adopt(const JournalRecord &record, std::int64_t now);

private:
    bool restore(const JournalRecord &record, std::int64_t now);
    bool restore_claim(const JournalRecord &record, std::int64_t now);
    bool is_own(const JournalRecord &record) const;
    void restore_into(ClaimCell &cell, const JournalRecord &record,
                      std::int64_t now);
    ClaimCell *make_room(const Digest &key, std::int64_t now);
    void move(ClaimCell &from, ClaimCell &to, std::int64_t now);
    ClaimCell *other_bucket(const ClaimCell &cell,
                            const ClaimCell *bucket) const;

    const ClaimMemory &memory_;
    ClaimCells &cells_;
    SettleBlocks &blocks_;
    PayerRecords &payers_;
    UsedPayments &used_;
    ClaimOwner other_;  // stamp 0: no other table writes it
};

}  // namespace x402

#endif
