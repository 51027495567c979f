// SPDX-License-Identifier: Apache-2.0
#include "session/journal_writer.hpp"

#include <algorithm>
#include <new>

#include "session/claim_record.hpp"

namespace x402 {

namespace {

constexpr std::size_t kPlacesInPart = 128;

bool same(ClaimOwner first, ClaimOwner second)
{
    return first.slot == second.slot && first.stamp == second.stamp;
}

class LockAlone {
public:
    // Lifetime: borrows.
    explicit LockAlone(JournalPort &port)
        : port_(port), locked_(port.lock_alone())
    {
    }
    ~LockAlone()
    {
        if (locked_) {
            port_.unlock_alone();
        }
    }
    LockAlone(const LockAlone &) = delete;
    LockAlone &operator=(const LockAlone &) = delete;

    bool is_locked() const { return locked_; }

private:
    JournalPort &port_;
    bool locked_;
};

JournalRecord record_of(const PayerRecord &payer)
{
    JournalRecord record;
    record.kind = JournalKind::payer;
    record.key = payer.payer;
    std::copy_n(payer.unproven, kMaxUnproven, record.unproven.begin());
    record.refused_at = payer.refused_at;
    return record;
}

bool says_something(const PayerRecord &payer)
{
    return payer.taken != 0
           && (payer.refused_at != 0
               || std::any_of(payer.unproven, payer.unproven + kMaxUnproven,
                              [](std::int64_t moment) { return moment != 0; }));
}

}  // namespace

JournalRecord JournalWriter::record_of(const ClaimCell &cell,
                                       RecordPart part) const
{
    return claim_record(cell, blocks_, part);
}

// Money: a change of a claim is never left in the middle. If memory ran out
// for the record, tried twice, it counts as not written.
template <class Make> bool JournalWriter::record(Make make_record)
{
    ClaimHeader &header = memory_.header();
    if (port_ == nullptr) {
        return true;
    }
    if (failed()) {
        return false;
    }
    for (int attempt = 0; attempt < 2; attempt++) {
        try {
            if (clear_unfinished_turn()
                && port_->append(header.journal_edition,
                                 journal_bytes(make_record()))) {
                header.commit.appended.fetch_add(1);
                return true;
            }
            break;
        } catch (const std::bad_alloc &) {
        }
    }
    header.journal_failed = 1;
    return false;
}

bool JournalWriter::record_claim(ClaimCell &cell)
{
    cell.flags |= kJournaled;
    return record([&] { return record_of(cell); });
}

bool JournalWriter::record_freed(const ClaimCell &cell)
{
    if (!(cell.flags & kJournaled)) {
        return true;
    }
    return record([&] {
        JournalRecord freed;
        freed.kind = JournalKind::freed;
        freed.key = cell.key;
        return freed;
    });
}

bool JournalWriter::record_payer(const PayerRecord &payer)
{
    return record([&] { return x402::record_of(payer); });
}

bool JournalWriter::failed() const
{
    const ClaimHeader &header = memory_.header();
    return port_ != nullptr
           && (header.journal_failed != 0 || header.commit.lost.load() != 0);
}

bool JournalWriter::is_ready(std::int64_t now)
{
    ClaimHeader &header = memory_.header();
    if (!failed()) {
        return true;
    }
    if (header.journal_tried == now) {
        return false;
    }
    header.journal_tried = now;
    try {
        bool written = clear_unfinished_turn() && write_all(now);
        if (written) {
            // Money: what a flush has lost is written again before the next.
            header.commit.appended.fetch_add(1);
            header.commit.lost.store(0);
        }
        header.journal_failed = written ? 0 : 1;
    } catch (const std::bad_alloc &) {
        // As with a full disk: tried again in a second.
    }
    return !failed();
}

bool JournalWriter::part(std::size_t &place, std::int64_t now,
                         std::string &records) const
{
    std::size_t cells = memory_.capacity();
    std::size_t payers_end = cells + memory_.payer_count();
    // Money: after the cells, so that a claim whose cell was given to another
    // before it was copied is found here.
    std::size_t all = payers_end + used_.piece_count();
    std::size_t end = std::min(all, place + kPlacesInPart);
    for (; place < end; place++) {
        if (place >= payers_end) {
            records += used_.piece(place - payers_end, now);
            continue;
        }
        if (place >= cells) {
            const PayerRecord &payer = memory_.payer(place - cells);
            if (says_something(payer)) {
                records += journal_bytes(x402::record_of(payer));
            }
            continue;
        }
        ClaimCell &cell = memory_.cell(place);
        ClaimState state = cell.claim_state();
        // Past, but its end has still to be reported: see next_due().
        bool open = state == ClaimState::unknown
                    || state == ClaimState::settling
                    || (cell.flags & kCloseUnreported);
        if (is_journaled(state) && (open || cell.expires > now)) {
            cell.flags |= kJournaled;
            records += journal_bytes(record_of(cell));
        }
    }
    return place < all;
}

// All of it after what is there already, of which nothing counts any more: a
// claim that ended while nothing could be written would need room at a start
// that the claims in its place have by now.
//
// Money: what another nginx wrote during a binary upgrade may not be known
// here yet, and counts.
bool JournalWriter::write_all(std::int64_t now)
{
    ClaimHeader &header = memory_.header();
    if (owners_.lives(header.journal_writer)) {
        return write_everything(now, true);  // a worker here has it locked
    }
    LockAlone lock(*port_);
    return write_everything(now, lock.is_locked());
}

bool JournalWriter::write_everything(std::int64_t now, bool is_whole)
{
    std::uint64_t edition = memory_.header().journal_edition;
    std::string begin = journal_edge(JournalKind::begin, edition);
    std::uint64_t size = begin.size();
    if (!port_->append(edition, begin)) {
        return false;
    }
    std::size_t place = 0;
    for (bool more = true; more;) {
        std::string records;
        more = part(place, now, records);
        size += records.size();
        if (!records.empty() && !port_->append(edition, records)) {
            return false;
        }
    }
    return !is_whole || port_->append(edition, journal_whole(size));
}

// A worker was killed while the journal turned.
bool JournalWriter::clear_unfinished_turn()
{
    ClaimHeader &header = memory_.header();
    if (header.journal_turning != 0) {
        if (!port_->clear(header.journal_edition + 1)) {
            return false;
        }
        store_fence();
        header.journal_turning = 0;
    }
    return true;
}

bool JournalWriter::begin_checkpoint(ClaimOwner owner)
{
    ClaimHeader &header = memory_.header();
    if (port_ == nullptr || failed() || owners_.lives(header.journal_writer)
        || !clear_unfinished_turn()) {
        return false;
    }
    if (!port_->clear(header.journal_edition + 1)) {
        return false;
    }
    header.journal_writer = owner;
    return true;
}

bool JournalWriter::turn(ClaimOwner owner, std::uint64_t copied,
                         std::uint64_t size)
{
    ClaimHeader &header = memory_.header();
    if (!same(header.journal_writer, owner) || failed()
        || !clear_unfinished_turn()) {
        return false;
    }
    std::uint64_t next = header.journal_edition + 1;
    Digest behind;
    if (!port_->carry_over(header.journal_edition, copied)
        || !port_->digest(next, size, behind)) {
        return false;
    }
    header.journal_turning = 1;
    store_fence();
    if (!port_->append(next, journal_end(next, size, behind))) {
        clear_unfinished_turn();
        return false;
    }
    header.journal_base = size;
    store_fence();
    header.journal_edition = next;
    store_fence();
    header.journal_turning = 0;
    return true;
}

void JournalWriter::end_checkpoint(ClaimOwner owner)
{
    ClaimHeader &header = memory_.header();
    if (same(header.journal_writer, owner)) {
        header.journal_writer = {};
    }
}

}  // namespace x402
