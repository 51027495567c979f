// SPDX-License-Identifier: Apache-2.0
// What a journal has to know of a claim.
#ifndef X402_SESSION_CLAIM_RECORD_HPP
#define X402_SESSION_CLAIM_RECORD_HPP

#include "session/claim_journal.hpp"
#include "session/settle_blocks.hpp"

namespace x402 {

// With the settle request, while its outcome is open and it is kept.
JournalRecord claim_record(const ClaimCell &cell, const SettleBlocks &blocks);

}  // namespace x402

#endif
