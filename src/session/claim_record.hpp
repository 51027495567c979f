// SPDX-License-Identifier: Apache-2.0
// What a journal has to know of a claim.
#ifndef X402_SESSION_CLAIM_RECORD_HPP
#define X402_SESSION_CLAIM_RECORD_HPP

#include "session/claim_journal.hpp"
#include "session/settle_blocks.hpp"

namespace x402 {

enum class RecordPart : std::uint8_t {
    numbers,  // without texts: nothing is allocated
    claim,    // without the settle request
    all,  // with the settle request, while its outcome is open and it is kept
};

JournalRecord claim_record(const ClaimCell &cell, const SettleBlocks &blocks,
                           RecordPart part = RecordPart::all);
// The same into a record of another claim, whose texts lend their memory.
void fill_claim_record(const ClaimCell &cell, const SettleBlocks &blocks,
                       RecordPart part, JournalRecord &record);

}  // namespace x402

#endif
