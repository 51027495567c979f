// SPDX-License-Identifier: Apache-2.0
#include "session/claim_replay.hpp"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "session/claim_record.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMostLooked = 10000;  // buckets

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

bool can_be_restored(const JournalRecord &record)
{
    return record.state <= static_cast<std::uint32_t>(ClaimState::closed)
           && is_journaled(static_cast<ClaimState>(record.state))
           && record.receipt.size() <= kReceiptBytes
           && record.settle.size() <= kMaxSettleBytes;
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
    // Nothing was sent for it here, and there it was: the request here finds
    // that its claim is gone, and sends nothing.
    bool unsent =
        state == ClaimState::verifying || state == ClaimState::verified;
    bool sent_there =
        tells_of_claim(record.kind)
        && static_cast<ClaimState>(record.state) != ClaimState::refused;
    if (unsent && sent_there) {
        return false;
    }
    bool over = state == ClaimState::delivered || state == ClaimState::refused
                || state == ClaimState::closed;
    return record.kind == JournalKind::freed || !over || cell->owner_stamp != 0
           || record.changed < cell->changed;
}

// The bucket of two in which the claim does not lie.
ClaimCell *ClaimReplay::other_bucket(const ClaimCell &cell,
                                     const ClaimCell *bucket) const
{
    ClaimCell *first = memory_.bucket_of(cell.key, 0);
    return first == bucket ? memory_.bucket_of(cell.key, 1) : first;
}

// As a record, which is all that a claim is here.
void ClaimReplay::move(ClaimCell &from, ClaimCell &to, std::int64_t now)
{
    JournalRecord record = claim_record(from, blocks_);
    cells_.enter_state(from, ClaimState::free);
    restore_into(to, record, now);
}

// Money: claims that had room before a restart have room after it. They were
// not put where they were in the order of the journal, so that both buckets of
// one may be full: the shortest row of claims is found of which each can move
// to its other bucket, the last one to a cell that guards no money.
ClaimCell *ClaimReplay::make_room(const Digest &key, std::int64_t now)
{
    struct Step {
        ClaimCell *bucket;
        ClaimCell *mover;  // into it, from the bucket of the step `from`
        std::size_t from;
    };
    std::vector<Step> steps;
    std::unordered_set<const ClaimCell *> seen;
    auto reach = [&](ClaimCell *bucket, ClaimCell *mover, std::size_t from) {
        bool is_new = seen.insert(bucket).second;
        if (is_new) {
            steps.push_back({bucket, mover, from});
        }
        return is_new;
    };
    reach(memory_.bucket_of(key, 0), nullptr, 0);
    reach(memory_.bucket_of(key, 1), nullptr, 0);
    for (std::size_t at = 0; at < steps.size() && at < kMostLooked; at++) {
        ClaimCell *bucket = steps[at].bucket;
        for (std::size_t i = 0; i < kCellsPerBucket; i++) {
            ClaimCell *vacant =
                reach(other_bucket(bucket[i], bucket), &bucket[i], at)
                    ? cells_.find_room(bucket[i].key, now)
                    : nullptr;
            if (vacant == nullptr) {
                continue;
            }
            for (Step step = steps.back(); step.mover != nullptr;
                 step = steps[step.from]) {
                move(*step.mover, *vacant, now);
                vacant = step.mover;
            }
            return vacant;
        }
    }
    return nullptr;
}

void ClaimReplay::restore_into(ClaimCell &cell, const JournalRecord &record,
                               std::int64_t now)
{
    auto state = static_cast<ClaimState>(record.state);
    cells_.begin(cell, facts_of(record), record.changed);
    if (is_in_hand(state)) {
        cell.set_owner(other_);
    }
    cell.flags = static_cast<std::uint8_t>(record.flags | kJournaled);
    cell.executions = record.executions;
    cell.settle_started = record.settle_started;
    cell.facilitator = record.facilitator;
    cell.settle_digest = record.settle_digest;
    std::memcpy(cell.receipt, record.receipt.data(), record.receipt.size());
    cell.receipt_bytes = static_cast<std::uint16_t>(record.receipt.size());
    if (!record.settle.empty()) {
        blocks_.keep(cell, record.settle, now);
    }
    if (state == ClaimState::unknown) {
        DueList::plan_retry(cell, now);
    }
    cells_.enter_state(cell, state);
    cell.set_texts(record.network, record.payer_text, record.asset);
}

// A claim as the journal knows it.
bool ClaimReplay::restore_claim(const JournalRecord &record, std::int64_t now)
{
    if (!can_be_restored(record)) {
        return false;
    }
    ClaimCell *cell = cells_.find(record.key);
    if (cell == nullptr) {
        cell = cells_.find_room(record.key, now);
    }
    // In a table that is in use requests know claims by their cells.
    if (cell == nullptr && other_.stamp == 0) {
        cell = make_room(record.key, now);
    }
    if (cell == nullptr) {
        return false;
    }
    restore_into(*cell, record, now);
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
    case JournalKind::whole:
        return true;
    case JournalKind::claim:
    case JournalKind::bound_claim:
        return restore_claim(record, now);
    case JournalKind::freed:
        if (ClaimCell *cell = cells_.find(record.key)) {
            cells_.enter_state(*cell, ClaimState::free);
        }
        return true;
    case JournalKind::used:
        // In a table of another size the chain alone stands behind them.
        used_.restore(record);
        return true;
    case JournalKind::payer:
        break;
    }
    return payers_.restore(record, now);
}

// Nothing is to be learned from the record.
static bool says_the_same(const ClaimCell &cell, const JournalRecord &record)
{
    constexpr unsigned kLocal = kCloseUnreported | kJournaled;
    return static_cast<std::uint32_t>(cell.claim_state()) == record.state
           && cell.executions == record.executions
           && (cell.flags & ~kLocal) == (record.flags & ~kLocal)
           && cell.settle_started == record.settle_started
           && (record.settle.empty() || cell.settle_bytes != 0);
}

// The table is in use: requests know claims by their cells, so that none is
// moved to make room.
bool ClaimReplay::adopt(const JournalRecord &record, std::int64_t now)
{
    ClaimCell *cell = cells_.find(record.key);
    if (cell) {
        cells_.tidy(*cell, now);
        ClaimState state = cell->claim_state();
        if (cell->owner_stamp != 0 || state == ClaimState::delivered
            || state == ClaimState::closed) {
            return false;
        }
        // Money: that it is paid is proven, and is not doubted again.
        if (state == ClaimState::paid
            && record.state
                   == static_cast<std::uint32_t>(ClaimState::unknown)) {
            return true;
        }
        // It keeps its place among those of its payer: they are delivered, or
        // asked about, in their order.
        if (says_the_same(*cell, record)) {
            return true;
        }
    } else {
        cell = cells_.find_room(record.key, now);
    }
    if (cell == nullptr || !can_be_restored(record)) {
        return false;
    }
    restore_into(*cell, record, now);
    return true;
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
