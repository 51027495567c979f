// SPDX-License-Identifier: Apache-2.0
#include "session/claim_record.hpp"

namespace x402 {

JournalRecord claim_record(const ClaimCell &cell, const SettleBlocks &blocks)
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
    record.receipt.assign(cell.receipt, cell.receipt_bytes);
    ClaimTexts texts = cell.claim_texts();
    record.network = texts.network;
    record.payer_text = texts.payer;
    record.asset = texts.asset;
    ClaimState state = cell.claim_state();
    if (state == ClaimState::settling || state == ClaimState::unknown) {
        record.settle = blocks.stored(cell);
    }
    return record;
}

}  // namespace x402
