// Whose a claim is, and what becomes of it when its owner dies.
//
// What is derived from the cells (how many are open, how many of a payer wait)
// is
// changed together with a state word, between two stores of `changing`. A
// worker killed in between leaves that word set: whoever enters a state next
// counts the whole table anew, once, and goes on.
#include "session/claim_table.hpp"
#include "session/claim_table_layout.hpp"

namespace x402 {

namespace {

// Neither proven nor finished: what a stranger can make us keep.
bool is_open(ClaimState state)
{
    return state == ClaimState::verifying || state == ClaimState::unknown;
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
           || (state == ClaimState::closed && (flags & kCloseUnsaid));
}

}  // namespace

ClaimOwner ClaimTable::enter(std::int64_t process, std::int64_t now)
{
    auto *header = reinterpret_cast<Header *>(memory_);
    bool somebody_died = false;
    for (Worker &worker : header->workers) {
        // Whoever had our number before is dead, wherever its slot is.
        if (worker.stamp != 0
            && (worker.process == process || !is_alive_(worker.process))) {
            worker.stamp = 0;
            somebody_died = true;
        }
    }
    for (std::uint32_t slot = 0; slot < kWorkers; slot++) {
        Worker &worker = header->workers[slot];
        if (worker.stamp != 0) {
            continue;
        }
        worker.process = process;
        store_fence();
        std::uint32_t stamp = header->next_stamp++;
        if (stamp == 0) {
            stamp = header->next_stamp++;
        }
        worker.stamp = stamp;
        self_ = {slot, stamp};
        if (somebody_died) {
            sweep(capacity(), now);
        }
        return self_;
    }
    return {};
}

void ClaimTable::leave(ClaimOwner owner, std::int64_t now)
{
    auto *header = reinterpret_cast<Header *>(memory_);
    if (owner.stamp != 0 && header->workers[owner.slot].stamp == owner.stamp) {
        header->workers[owner.slot].stamp = 0;
        self_ = {};
        sweep(capacity(), now);
    }
}

bool ClaimTable::owner_lives(const Cell &cell) const
{
    return lives({cell.owner_slot, cell.owner_stamp});
}

bool ClaimTable::lives(ClaimOwner owner) const
{
    if (owner.stamp == 0 || owner.slot >= kWorkers) {
        return false;
    }
    if (owner.slot == self_.slot && owner.stamp == self_.stamp) {
        return true;
    }
    const Worker &worker =
        reinterpret_cast<Header *>(memory_)->workers[owner.slot];
    return worker.stamp == owner.stamp && is_alive_(worker.process);
}

// A cell nobody works on any more is put into the state that is true of the
// money.
void ClaimTable::tidy(Cell &cell, std::int64_t now) const
{
    ClaimState state = cell.claim_state();
    if (state == ClaimState::free || (cell.owner_stamp && owner_lives(cell))) {
        return;
    }
    cell.owner_stamp = 0;
    if (state == ClaimState::verifying || state == ClaimState::verified) {
        enter_state(cell, ClaimState::free);
    } else if (state == ClaimState::settling) {
        cell.flags |= kEverUnknown;
        plan_retry(cell, now);
        enter_state(cell, ClaimState::unknown);
    }
    if (cell.claim_state() == ClaimState::unknown && cell.expires <= now) {
        cell.flags |= kCloseUnsaid;
        enter_state(cell, ClaimState::closed);
    }
}

// The only place that stores a state word.
void ClaimTable::enter_state(Cell &cell, ClaimState next) const
{
    repair();
    auto *header = reinterpret_cast<Header *>(memory_);
    header->changing = 1;
    store_fence();
    withdraw(cell);
    store_fence();
    cell.state = static_cast<std::uint32_t>(next);
    store_fence();
    enlist(cell);
    store_fence();
    header->changing = 0;
}

void ClaimTable::withdraw(Cell &cell) const
{
    auto *header = reinterpret_cast<Header *>(memory_);
    header->open_cells -= is_open(cell.claim_state()) ? 1 : 0;
    if (cell.claim_state() == ClaimState::verified) {
        uncount_waiting(cell);
    }
    if (may_be_owed(cell.claim_state())) {
        unlink_owed(cell);
    }
    if (may_be_due(cell.claim_state(), cell.flags)) {
        unlink_due(cell);
    }
}

void ClaimTable::enlist(Cell &cell) const
{
    auto *header = reinterpret_cast<Header *>(memory_);
    header->open_cells += is_open(cell.claim_state()) ? 1 : 0;
    if (cell.claim_state() == ClaimState::verified) {
        count_waiting(cell);
    }
    if (may_be_owed(cell.claim_state())) {
        link_owed(cell);
    }
    if (may_be_due(cell.claim_state(), cell.flags)) {
        link_due(cell);
    }
}

// A worker was killed while it changed what is derived: made anew from the
// cells, which are valid at every instant.
void ClaimTable::repair() const
{
    auto *header = reinterpret_cast<Header *>(memory_);
    if (header->changing == 0) {
        return;
    }
    header->open_cells = 0;
    forget_waiting();
    relink();
    std::size_t count = capacity();
    auto *cells = first_cell();
    for (std::size_t i = 0; i < count; i++) {
        enlist(cells[i]);
    }
    store_fence();
    header->changing = 0;
}

// Tidies the next `count` cells of the table.
void ClaimTable::sweep(std::size_t count, std::int64_t now) const
{
    auto *header = reinterpret_cast<Header *>(memory_);
    std::size_t all = capacity();
    for (std::size_t i = 0; i < count && i < all; i++) {
        header->next_swept = (header->next_swept + 1) % all;
        tidy(first_cell()[header->next_swept], now);
    }
}

// Open claims use at most half of the cells. Those that time or death have
// finished, only that nobody has looked at them since, are found by looking at
// some more cells at each refusal.
bool ClaimTable::may_open_another(std::int64_t now) const
{
    repair();
    auto *header = reinterpret_cast<Header *>(memory_);
    if (header->open_cells < capacity() / 2) {
        return true;
    }
    sweep(kCellsSwept, now);
    return header->open_cells < capacity() / 2;
}

std::size_t ClaimTable::open_claims() const
{
    repair();
    return reinterpret_cast<Header *>(memory_)->open_cells;
}

}  // namespace x402
