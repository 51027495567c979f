// A journal is written anew while nginx runs, so that it does not grow for
// ever.
//
// The next edition goes into the other of two files: first what the table says,
// piece by piece (no worker waits for all of it), then what was appended to the
// present edition since that began, then the record `complete`. A record counts
// more than those before it, so that a piece that was newer than what follows
// it is caught up with. Until `complete` is there the present edition is the
// journal; a start takes the newer of those that are complete.
//
// Money: between `complete` and the moment at which all workers append to the
// new edition lies the one instant at which a kill could leave two journals, of
// which the newer would miss what follows. `journal_turning` covers it: who
// finds it set empties the file that is not in use before he writes.
#include <algorithm>

#include "session/claim_table.hpp"
#include "session/claim_table_layout.hpp"

namespace x402 {

namespace {

constexpr std::size_t kPlacesInPart = 128;

}  // namespace

std::uint64_t ClaimTable::journal_edition() const
{
    return reinterpret_cast<Header *>(memory_)->journal_edition;
}

std::uint64_t ClaimTable::journal_base() const
{
    return reinterpret_cast<Header *>(memory_)->journal_base;
}

bool ClaimTable::journal_part(std::size_t &place, std::int64_t now,
                              std::string &records) const
{
    auto *header = reinterpret_cast<Header *>(memory_);
    Areas areas = areas_of(header->bytes);
    auto *payers = reinterpret_cast<Payer *>(memory_ + areas.payers_at);
    std::size_t cells = capacity();
    std::size_t all = cells + areas.payer_buckets * kPayersPerBucket;
    std::size_t end = std::min(all, place + kPlacesInPart);
    for (; place < end; place++) {
        if (place < cells) {
            Cell &cell = first_cell()[place];
            ClaimState state = cell.claim_state();
            // Of what is past only this has still to be told: see next_due().
            bool open = state == ClaimState::unknown
                        || state == ClaimState::settling
                        || (cell.flags & kCloseUnsaid);
            if (is_journaled(state) && (open || cell.expires > now)) {
                cell.flags |= kNoted;
                records += journal_bytes(record_of(cell));
            }
            continue;
        }
        const Payer &payer = payers[place - cells];
        if (payer.taken != 0 && payer.last_used() != 0) {
            records += journal_bytes(record_of(payer));
        }
    }
    return place < all;
}

// All of it behind what is there already.
bool ClaimTable::write_all(std::int64_t now)
{
    std::uint64_t edition = journal_edition();
    if (!journal_->append(edition, journal_edge(JournalKind::begin, edition))) {
        return false;
    }
    std::size_t place = 0;
    for (bool more = true; more;) {
        std::string records;
        more = journal_part(place, now, records);
        if (!records.empty() && !journal_->append(edition, records)) {
            return false;
        }
    }
    return true;
}

// A worker was killed while the journal turned.
bool ClaimTable::journal_is_whole()
{
    auto *header = reinterpret_cast<Header *>(memory_);
    if (header->journal_turning != 0) {
        if (!journal_->clear(header->journal_edition + 1)) {
            return false;
        }
        store_fence();
        header->journal_turning = 0;
    }
    return true;
}

bool ClaimTable::begin_checkpoint(ClaimOwner owner)
{
    auto *header = reinterpret_cast<Header *>(memory_);
    if (journal_ == nullptr || journal_failed() || lives(header->journal_writer)
        || !journal_is_whole()) {
        return false;
    }
    if (!journal_->clear(header->journal_edition + 1)) {
        return false;
    }
    header->journal_writer = owner;
    return true;
}

bool ClaimTable::turn_journal(ClaimOwner owner, std::uint64_t copied,
                              std::uint64_t size)
{
    auto *header = reinterpret_cast<Header *>(memory_);
    ClaimOwner writer = header->journal_writer;
    if (writer.slot != owner.slot || writer.stamp != owner.stamp
        || journal_failed() || !journal_is_whole()) {
        return false;
    }
    std::uint64_t next = header->journal_edition + 1;
    if (!journal_->carry_over(header->journal_edition, copied)) {
        return false;
    }
    header->journal_turning = 1;
    store_fence();
    if (!journal_->append(next, journal_edge(JournalKind::complete, next))) {
        journal_is_whole();
        return false;
    }
    header->journal_base = size;
    store_fence();
    header->journal_edition = next;
    store_fence();
    header->journal_turning = 0;
    return true;
}

void ClaimTable::end_checkpoint(ClaimOwner owner)
{
    auto *header = reinterpret_cast<Header *>(memory_);
    if (header->journal_writer.slot == owner.slot
        && header->journal_writer.stamp == owner.stamp) {
        header->journal_writer = {};
    }
}

}  // namespace x402
