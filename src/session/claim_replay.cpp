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

// Something may still become of it.
bool is_in_hand(ClaimState state)
{
    return state == ClaimState::settling || state == ClaimState::unknown
           || state == ClaimState::paid;
}

bool same(ClaimOwner one, ClaimOwner other)
{
    return one.slot == other.slot && one.stamp == other.stamp;
}

}  // namespace

// Money: a claim that this table has in hand, or knows something newer of, is
// not changed by what others wrote.
bool ClaimReplay::is_own(const JournalRecord &record) const
{
    const ClaimCell *cell = cells_.find(record.key);
    if (other_.stamp == 0 || cell == nullptr || same(cell->owner(), other_)) {
        return false;
    }
    ClaimState state = cell->claim_state();
    bool over = state == ClaimState::delivered || state == ClaimState::refused
                || state == ClaimState::closed;
    return record.kind == JournalKind::freed || !over || cell->owner_stamp != 0
           || record.changed < cell->changed;
}

// A claim as the journal knows it.
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
    if (is_in_hand(state)) {
        cell->set_owner(other_);
    }
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
    bool of_claim =
        tells_of_claim(record.kind) || record.kind == JournalKind::freed;
    if (of_claim && is_own(record)) {
        return true;
    }
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

ReplayReport ClaimReplay::follow(std::string_view journal, ClaimOwner other,
                                 std::int64_t now)
{
    other_ = other;
    ReplayReport report = run(journal, now);
    other_ = {};
    return report;
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
