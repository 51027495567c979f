// A ClaimTable and its journal: what is written when, and how a new table is
// filled at start.
//
// Written are the changes that say something about money, each as the whole
// claim; nothing of a payment that was never settled, which is free after a
// restart. What cannot be written turns new claims away until it can, and then
// all that is known is written again: of a claim whose end was lost the journal
// says that it is open, never that it is free.
#include <algorithm>
#include <cstring>
#include <new>

#include "session/claim_table.hpp"
#include "session/claim_table_layout.hpp"

namespace x402 {

void ClaimTable::use_journal(JournalPort *journal)
{
    journal_ = journal;
}

void ClaimTable::set_journal_identity(const Digest &identity,
                                      std::uint64_t edition, std::uint64_t size)
{
    auto *header = reinterpret_cast<Header *>(memory_);
    header->journal = identity;
    header->journal_edition = edition;
    header->journal_base = size;
}

const Digest &ClaimTable::journal_identity(const void *memory)
{
    return static_cast<const Header *>(memory)->journal;
}

bool ClaimTable::journal_failed() const
{
    return journal_ != nullptr
           && reinterpret_cast<Header *>(memory_)->journal_failed != 0;
}

JournalRecord ClaimTable::record_of(const Cell &cell) const
{
    ClaimRef ref = {number_of(cell), cell.generation};
    JournalRecord record;
    record.kind = JournalKind::claim;
    record.key = cell.key;
    record.state = cell.state;
    record.flags = cell.flags;
    record.executions = cell.executions;
    record.expires = cell.expires;
    record.changed = cell.changed;
    record.settle_started = cell.settle_started;
    record.facilitator = cell.facilitator;
    record.resource = cell.resource;
    record.redeliver_key = cell.redeliver_key;
    record.payer = cell.payer;
    record.settle_digest = cell.settle_digest;
    record.money = cell.money;
    record.amount = cell.amount;
    record.receipt.assign(cell.receipt, cell.receipt_bytes);
    ClaimTexts words = texts(ref);
    record.network = words.network;
    record.payer_text = words.payer;
    record.asset = words.asset;
    ClaimState state = cell.claim_state();
    if (state == ClaimState::settling || state == ClaimState::unknown) {
        record.settle = stored_settle(ref);
    }
    return record;
}

// Money: a change of a claim is never left in the middle. What cannot be put
// into words for want of memory, tried twice, cannot be written.
template <class Thing> bool ClaimTable::note(const Thing &thing)
{
    auto *header = reinterpret_cast<Header *>(memory_);
    if (journal_ == nullptr) {
        return true;
    }
    if (header->journal_failed != 0) {
        return false;
    }
    for (int attempt = 0; attempt < 2; attempt++) {
        try {
            if (journal_is_whole()
                && journal_->append(header->journal_edition,
                                    journal_bytes(record_of(thing)))) {
                return true;
            }
            break;
        } catch (const std::bad_alloc &) {
        }
    }
    header->journal_failed = 1;
    return false;
}

bool ClaimTable::record_claim(Cell &cell)
{
    cell.flags |= kNoted;
    // A record is a copy of all that is known of a claim.
    return note(cell);
}

void ClaimTable::record_freed(const Cell &cell)
{
    if (cell.flags & kNoted) {
        note(Freed{cell.key});
    }
}

void ClaimTable::record_payer(const Payer &payer)
{
    note(payer);
}

JournalRecord ClaimTable::record_of(const Freed &freed)
{
    JournalRecord record;
    record.kind = JournalKind::freed;
    record.key = freed.key;
    return record;
}

JournalRecord ClaimTable::record_of(const Payer &payer) const
{
    JournalRecord record;
    record.kind = JournalKind::payer;
    record.key = payer.payer;
    std::copy_n(payer.unproven, kMaxUnproven, record.unproven.begin());
    record.refused_at = payer.refused_at;
    return record;
}

// After a failure: once a second all of it is tried again.
bool ClaimTable::journal_is_ready(std::int64_t now)
{
    auto *header = reinterpret_cast<Header *>(memory_);
    if (journal_ == nullptr || header->journal_failed == 0) {
        return true;
    }
    if (header->journal_tried == now) {
        return false;
    }
    header->journal_tried = now;
    try {
        header->journal_failed = journal_is_whole() && write_all(now) ? 0 : 1;
    } catch (const std::bad_alloc &) {
        // As good as a disk that is full.
    }
    return header->journal_failed == 0;
}

// A claim as the journal knows it, without an owner.
bool ClaimTable::restore_claim(const JournalRecord &record, std::int64_t now)
{
    auto state = static_cast<ClaimState>(record.state);
    if (record.state > static_cast<std::uint32_t>(ClaimState::closed)
        || !is_journaled(state) || record.receipt.size() > kReceiptBytes
        || record.settle.size() > kMaxSettleBytes) {
        return false;
    }
    auto *header = reinterpret_cast<Header *>(memory_);
    Cell *cell = find(record.key);
    if (cell == nullptr) {
        cell = room_for(record.key, now);
        if (cell == nullptr) {
            return false;
        }
    }
    enter_state(*cell, ClaimState::free);
    *cell = Cell{};
    cell->generation = header->next_generation++;
    cell->first_block = kNoBlock;
    cell->flags = static_cast<std::uint8_t>(record.flags | kNoted);
    cell->executions = record.executions;
    cell->expires = record.expires;
    cell->changed = record.changed;
    cell->settle_started = record.settle_started;
    cell->facilitator = record.facilitator;
    cell->key = record.key;
    cell->resource = record.resource;
    cell->redeliver_key = record.redeliver_key;
    cell->payer = record.payer;
    cell->settle_digest = record.settle_digest;
    cell->money = record.money;
    cell->amount = record.amount;
    std::memcpy(cell->receipt, record.receipt.data(), record.receipt.size());
    cell->receipt_bytes = static_cast<std::uint16_t>(record.receipt.size());
    if (!record.settle.empty()) {
        keep_settle(*cell, record.settle, now);
    }
    if (state == ClaimState::unknown) {
        plan_retry(*cell, now);
    }
    enter_state(*cell, state);
    set_texts({number_of(*cell), cell->generation}, record.network,
              record.payer_text, record.asset);
    return true;
}

bool ClaimTable::restore(const JournalRecord &record, std::int64_t now)
{
    switch (record.kind) {
    case JournalKind::begin:
    case JournalKind::complete:
        return true;
    case JournalKind::claim:
        return restore_claim(record, now);
    case JournalKind::freed:
        if (Cell *cell = find(record.key)) {
            enter_state(*cell, ClaimState::free);
        }
        return true;
    case JournalKind::payer:
        break;
    }
    Payer *payer = payer_record(record.key, now);
    if (payer == nullptr) {
        return false;
    }
    std::copy(record.unproven.begin(), record.unproven.end(), payer->unproven);
    payer->refused_at = record.refused_at;
    return true;
}

ReplayReport ClaimTable::replay(std::string_view journal, std::int64_t now)
{
    ReplayReport report;
    JournalReader reader(journal);
    JournalRecord record;
    while (reader.next(record)) {
        report.records++;
        report.homeless += restore(record, now) ? 0 : 1;
    }
    report.skipped = reader.skipped();
    sweep(capacity(), now);
    return report;
}

}  // namespace x402
