// SPDX-License-Identifier: Apache-2.0
#include "session/claim_record.hpp"

namespace x402 {

void fill_claim_record(const ClaimCell &cell, const SettleBlocks &blocks,
                       RecordPart part, JournalRecord &record)
{
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
    bool wanted = part != RecordPart::numbers;
    record.receipt.assign(cell.receipt, wanted ? cell.receipt_bytes : 0);
    record.network.assign(wanted ? cell.text(0) : std::string_view());
    record.payer_text.assign(wanted ? cell.text(1) : std::string_view());
    record.asset.assign(wanted ? cell.text(2) : std::string_view());
    record.settle.clear();
    ClaimState state = cell.claim_state();
    bool open = state == ClaimState::settling || state == ClaimState::unknown;
    if (open && part == RecordPart::all) {
        record.settle = blocks.stored(cell);
    }
}

JournalRecord claim_record(const ClaimCell &cell, const SettleBlocks &blocks,
                           RecordPart part)
{
    JournalRecord record;
    fill_claim_record(cell, blocks, part, record);
    return record;
}

}  // namespace x402
