// SPDX-License-Identifier: Apache-2.0
#include "session/claim_cells.hpp"

#include <algorithm>

namespace x402 {

namespace {

constexpr std::size_t kCellsSwept = 512;

// Neither proven nor finished. Claims that were never verified have room of
// their own.
bool is_open(const ClaimCell &cell)
{
    return cell.claim_state() == ClaimState::verifying
           || (cell.claim_state() == ClaimState::unknown
               && !cell.is_unverified());
}

// Settling too: what its worker leaves when it dies must be found.
bool may_be_owed(ClaimState state)
{
    return state == ClaimState::settling || state == ClaimState::unknown
           || state == ClaimState::paid;
}

bool may_be_due(ClaimState state, std::uint8_t flags)
{
    return state == ClaimState::settling || state == ClaimState::unknown
           || (state == ClaimState::closed && (flags & kCloseUnreported));
}

// It guards no money: the payment was never good, or its time is over.
bool is_replaceable(const ClaimCell &cell)
{
    ClaimState state = cell.claim_state();
    return cell.expires != kNeverExpires
           && (state == ClaimState::refused || state == ClaimState::closed);
}

ClaimCell *free_cell_of(ClaimCell *bucket)
{
    for (std::size_t i = 0; i < kCellsPerBucket; i++) {
        if (bucket[i].claim_state() == ClaimState::free) {
            return &bucket[i];
        }
    }
    return nullptr;
}

}  // namespace

ClaimCell *ClaimCells::find(const Digest &key) const
{
    for (unsigned choice = 0; choice < 2; choice++) {
        ClaimCell *bucket = memory_.bucket_of(key, choice);
        for (std::size_t i = 0; i < kCellsPerBucket; i++) {
            if (bucket[i].claim_state() != ClaimState::free
                && bucket[i].key == key) {
                return &bucket[i];
            }
        }
    }
    return nullptr;
}

// Money: a delivered payment that is forgotten would buy once more from a
// facilitator that settles it again with success, or loses an answer. So its
// cell goes to another only when it is remembered as used.
ClaimCell *ClaimCells::give_up_one(const Digest &key, std::int64_t now)
{
    ClaimCell *oldest = nullptr;
    for (unsigned place = 0; place < 2 * kCellsPerBucket; place++) {
        ClaimCell &cell = memory_.bucket_of(
            key, place / kCellsPerBucket)[place % kCellsPerBucket];
        if (cell.claim_state() == ClaimState::delivered && cell.owner_stamp == 0
            && !(cell.flags & kOnlyGuard) && cell.expires != kNeverExpires
            && (!oldest || cell.changed < oldest->changed)) {
            oldest = &cell;
        }
    }
    return oldest && used_.add(oldest->key, oldest->expires, now) ? oldest
                                                                  : nullptr;
}

// A delivered claim of the two buckets moves to its other one, if there is a
// free cell. Nothing knows of its place: it is in no list, has no settle bytes,
// and its name is known by its key. Killed in the middle there are two of it,
// which say the same. The cell that it leaves.
ClaimCell *ClaimCells::move_one(const Digest &key, ClaimCell **moved)
{
    for (unsigned place = 0; place < 2 * kCellsPerBucket; place++) {
        ClaimCell &cell = memory_.bucket_of(
            key, place / kCellsPerBucket)[place % kCellsPerBucket];
        if (cell.claim_state() != ClaimState::delivered
            || cell.owner_stamp != 0) {
            continue;
        }
        for (unsigned choice = 0; choice < 2; choice++) {
            ClaimCell *there =
                free_cell_of(memory_.bucket_of(cell.key, choice));
            if (there == nullptr) {
                continue;
            }
            ClaimCell copy = cell;
            copy.state = static_cast<std::uint32_t>(ClaimState::free);
            *there = copy;
            enter_state(*there, ClaimState::delivered);
            cell.name = 0;
            enter_state(cell, ClaimState::free);
            if (moved != nullptr) {
                *moved = there;
            }
            return &cell;
        }
    }
    return nullptr;
}

ClaimCell *ClaimCells::find_room(const Digest &key, std::int64_t now,
                                 ClaimCell **moved)
{
    ClaimCell *unreported = nullptr;
    ClaimCell *expired = nullptr;
    ClaimCell *oldest = nullptr;
    ClaimCell *free = nullptr;
    unsigned most_free = 0;
    for (unsigned choice = 0; choice < 2; choice++) {
        ClaimCell *bucket = memory_.bucket_of(key, choice);
        ClaimCell *free_here = nullptr;
        unsigned count = 0;
        for (std::size_t i = 0; i < kCellsPerBucket; i++) {
            ClaimCell &cell = bucket[i];
            tidy(cell, now);
            if (cell.claim_state() == ClaimState::free) {
                free_here = free_here ? free_here : &cell;
                count++;
                continue;
            }
            if (cell.owner_stamp != 0) {
                continue;
            }
            if (cell.flags & kCloseUnreported) {
                unreported = &cell;
                continue;
            }
            if (cell.expires <= now) {
                expired = &cell;
            }
            if (is_replaceable(cell)
                && (!oldest || cell.changed < oldest->changed)) {
                oldest = &cell;
            }
        }
        // The emptier bucket: filled evenly, a table is nearly full before both
        // of a key's are.
        if (count > most_free) {
            most_free = count;
            free = free_here;
        }
    }
    for (ClaimCell *vacant : {free, expired, oldest}) {
        if (vacant) {
            return vacant;
        }
    }
    ClaimCell *left = give_up_one(key, now);
    left = left ? left : move_one(key, moved);
    return left ? left : unreported;
}

void ClaimCells::begin(ClaimCell &cell, const ClaimFacts &facts,
                       std::int64_t now)
{
    // Money: a free cell's name was forgotten with it, and the same payment may
    // have it again by now, in another cell.
    if (cell.claim_state() == ClaimState::free) {
        cell.name = 0;
    }
    enter_state(cell, ClaimState::free);
    store_fence();
    cell = ClaimCell{};
    cell.generation = memory_.header().next_generation++;
    cell.expires = facts.expires;
    cell.changed = now;
    cell.first_block = kNoBlock;
    cell.key = facts.key;
    cell.binding = facts.binding;
    cell.redeliver_key = facts.redeliver_key;
    cell.payer = facts.payer;
    cell.client = facts.client;
    cell.flags = facts.only_guard ? kOnlyGuard : 0;
}

// The only place that stores a state word.
void ClaimCells::enter_state(ClaimCell &cell, ClaimState next)
{
    change(cell, [&] { cell.state = static_cast<std::uint32_t>(next); });
    if (cell.name != 0 && names_ != nullptr) {
        change_name(cell);
    }
}

// A name goes with its claim, and stays once the payment was paid.
void ClaimCells::change_name(const ClaimCell &cell)
{
    switch (cell.claim_state()) {
    case ClaimState::free:
    case ClaimState::refused:
        names_->forget(cell.name, cell.key);
        break;
    case ClaimState::paid:
        names_->keep(cell.name, cell.key);
        break;
    default:
        break;
    }
}

void ClaimCells::withdraw(ClaimCell &cell)
{
    ClaimState state = cell.claim_state();
    ClaimHeader &header = memory_.header();
    if (state == ClaimState::free) {
        return;
    }
    header.cells_in_state[static_cast<std::size_t>(state)]--;
    header.open_cells -= is_open(cell) ? 1 : 0;
    if (cell.is_unverified()) {
        header.unverified_cells--;
        payers_.remove_unverified(cell);
    }
    if (state == ClaimState::verified) {
        payers_.remove_waiting(cell);
    }
    if (may_be_owed(state)) {
        owed_.unlink(cell);
    }
    if (may_be_due(state, cell.flags)) {
        due_.unlink(cell);
    }
}

void ClaimCells::enlist(ClaimCell &cell)
{
    ClaimState state = cell.claim_state();
    ClaimHeader &header = memory_.header();
    if (state == ClaimState::free) {
        return;
    }
    header.cells_in_state[static_cast<std::size_t>(state)]++;
    header.open_cells += is_open(cell) ? 1 : 0;
    if (cell.is_unverified()) {
        header.unverified_cells++;
        payers_.add_unverified(cell);
    }
    if (state == ClaimState::verified) {
        payers_.add_waiting(cell);
    }
    if (may_be_owed(state)) {
        owed_.link(cell);
    }
    if (may_be_due(state, cell.flags)) {
        due_.link(cell);
    }
}

void ClaimCells::tidy(ClaimCell &cell, std::int64_t now)
{
    ClaimState state = cell.claim_state();
    if (state == ClaimState::free
        || (cell.owner_stamp && owners_.lives(cell.owner()))) {
        return;
    }
    cell.owner_stamp = 0;
    if (state == ClaimState::verifying || state == ClaimState::verified) {
        enter_state(cell, ClaimState::free);
    } else if (state == ClaimState::settling) {
        cell.flags |= kEverUnknown | kAbandoned;
        DueList::plan_retry(cell, now);
        enter_state(cell, ClaimState::unknown);
    }
    if (cell.claim_state() == ClaimState::unknown && cell.expires <= now) {
        cell.flags |= kCloseUnreported;
        enter_state(cell, ClaimState::closed);
    }
}

void ClaimCells::sweep(std::size_t count, std::int64_t now)
{
    ClaimHeader &header = memory_.header();
    std::size_t all = memory_.capacity();
    for (std::size_t i = 0; i < count && i < all; i++) {
        header.next_swept = (header.next_swept + 1) % all;
        tidy(memory_.cell(header.next_swept), now);
    }
}

void ClaimCells::repair()
{
    ClaimHeader &header = memory_.header();
    if (header.changing == 0) {
        return;
    }
    header.open_cells = 0;
    header.unverified_cells = 0;
    std::fill_n(header.cells_in_state, kClaimStates, 0);
    payers_.reset_counts();
    owed_.clear();
    due_.clear();
    for (std::size_t i = 0; i < memory_.capacity(); i++) {
        enlist(memory_.cell(i));
    }
    store_fence();
    header.changing = 0;
}

// Claims that time or death has finished, but that no worker has looked at
// since, are found by looking at some more cells at each refusal.
bool ClaimCells::may_open_another(std::int64_t now)
{
    repair();
    std::size_t most = memory_.capacity() / 2;
    if (memory_.header().open_cells < most) {
        return true;
    }
    sweep(kCellsSwept, now);
    return memory_.header().open_cells < most;
}

bool ClaimCells::may_settle_unverified(std::uint32_t client, std::int64_t now)
{
    repair();
    std::size_t most = std::max<std::size_t>(memory_.capacity() / 8, 1);
    std::size_t share = std::max<std::size_t>(most / 8, 1);
    auto has_room = [&] {
        return memory_.header().unverified_cells < most
               && payers_.unverified_of(client) < share
               && payers_.has_room_for(client, now);
    };
    if (has_room()) {
        return true;
    }
    sweep(kCellsSwept, now);
    return has_room();
}

}  // namespace x402
