// SPDX-License-Identifier: Apache-2.0
#include "session/claim_replay.hpp"

namespace x402 {

namespace {

ClaimFacts facts_of(const JournalRecord &record)
{
    ClaimFacts facts;
    facts.key = record.key;
    facts.binding = record.binding;
    facts.redeliver_key = record.redeliver_key;
    facts.payer = record.payer;
    facts.expires = record.expires;
    return facts;
}

}  // namespace

// A claim as the journal knows it, without an owner.
bool ClaimReplay::restore_claim(const JournalRecord &record, std::int64_t now)
{
    auto state = static_cast<ClaimState>(record.state);
    if (record.state > static_cast<std::uint32_t>(ClaimState::closed)
        || !is_journaled(state) || record.receipt.size() > kReceiptBytes
        || record.settle.size() > kMaxSettleBytes) {
        return false;
    }
    ClaimCell *cell = cells_.find(record.key);
    if (cell == nullptr) {
        cell = cells_.find_room(record.key, now);
        if (cell == nullptr) {
            return false;
        }
    }
    cells_.begin(*cell, facts_of(record), record.changed);
    cell->flags = static_cast<std::uint8_t>(record.flags | kJournaled);
    cell->executions = record.executions;
    cell->settle_started = record.settle_started;
    cell->facilitator = record.facilitator;
    cell->settle_digest = record.settle_digest;
    std::memcpy(cell->receipt, record.receipt.data(), record.receipt.size());
    cell->receipt_bytes = static_cast<std::uint16_t>(record.receipt.size());
    if (!record.settle.empty()) {
        blocks_.keep(*cell, record.settle, now);
    }
    if (state == ClaimState::unknown) {
        DueList::plan_retry(*cell, now);
    }
    cells_.enter_state(*cell, state);
    cell->set_texts(record.network, record.payer_text, record.asset);
    return true;
}

bool ClaimReplay::restore(const JournalRecord &record, std::int64_t now)
{
    switch (record.kind) {
    case JournalKind::begin:
    case JournalKind::complete:
        return true;
    case JournalKind::claim:
    case JournalKind::bound_claim:
        return restore_claim(record, now);
    case JournalKind::freed:
        if (ClaimCell *cell = cells_.find(record.key)) {
            cells_.enter_state(*cell, ClaimState::free);
        }
        return true;
    case JournalKind::payer:
        break;
    }
    return payers_.restore(record, now);
}

ReplayReport ClaimReplay::run(std::string_view journal, std::int64_t now)
{
    ReplayReport report;
    JournalReader reader(journal);
    JournalRecord record;
    while (reader.next(record)) {
        report.records++;
        report.homeless += restore(record, now) ? 0 : 1;
    }
    report.skipped = reader.skipped();
    cells_.sweep(memory_.capacity(), now);
    return report;
}

}  // namespace x402
