// SPDX-License-Identifier: Apache-2.0
#include "session/claim_record.hpp"

#include <utility>

namespace x402 {

JournalRecord claim_record(const ClaimCell &cell, const SettleBlocks &blocks,
                           RecordPart part)
{
    JournalRecord record;
    record.kind = JournalKind::bound_claim;
    record.key = cell.key;
    record.state = cell.state;
    record.flags = cell.flags;
    record.executions = cell.executions;
    record.expires = cell.expires;
    record.changed = cell.changed;
    record.settle_started = cell.settle_started;
    record.facilitator = cell.facilitator;
    record.binding = cell.binding;
    record.redeliver_key = cell.redeliver_key;
    record.payer = cell.payer;
    record.settle_digest = cell.settle_digest;
    if (part == RecordPart::numbers) {
        return record;
    }
    record.receipt.assign(cell.receipt, cell.receipt_bytes);
    ClaimTexts texts = cell.claim_texts();
    record.network = std::move(texts.network);
    record.payer_text = std::move(texts.payer);
    record.asset = std::move(texts.asset);
    ClaimState state = cell.claim_state();
    bool open = state == ClaimState::settling || state == ClaimState::unknown;
    if (open && part == RecordPart::all) {
        record.settle = blocks.stored(cell);
    }
    return record;
}

}  // namespace x402
