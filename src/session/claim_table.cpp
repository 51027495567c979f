#include "session/claim_table.hpp"

#include <algorithm>
#include <cstring>

#include "session/claim_table_layout.hpp"

namespace x402 {

ClaimTable::Areas ClaimTable::areas_of(std::size_t bytes)
{
    static_assert(sizeof(Cell) == 704, "a change needs another kLayout");
    static_assert(sizeof(Block) == kBlockBytes);

    Areas areas{};
    std::size_t body = bytes > sizeof(Header) ? bytes - sizeof(Header) : 0;
    // A quarter for settle bytes, a sixteenth for counts by payer.
    areas.blocks = body / 4 / sizeof(Block);
    areas.payer_buckets = body / 16 / (sizeof(Payer) * kPayersPerBucket);
    std::size_t rest = body - areas.blocks * sizeof(Block)
                       - areas.payer_buckets * sizeof(Payer) * kPayersPerBucket;
    std::size_t bucket = (sizeof(Cell) + sizeof(std::uint32_t));
    areas.buckets = rest / (bucket * kCellsPerBucket);
    areas.cells_at = sizeof(Header);
    areas.blocks_at =
        areas.cells_at + areas.buckets * kCellsPerBucket * sizeof(Cell);
    areas.payers_at = areas.blocks_at + areas.blocks * sizeof(Block);
    areas.heads_at = areas.payers_at
                     + areas.payer_buckets * sizeof(Payer) * kPayersPerBucket;
    return areas;
}

std::size_t ClaimTable::least_bytes()
{
    return sizeof(Header) + 16 * 1024;
}

std::size_t ClaimTable::capacity_of(std::size_t bytes)
{
    return areas_of(bytes).buckets * kCellsPerBucket;
}

bool ClaimTable::format(void *memory, std::size_t bytes)
{
    if (bytes < least_bytes()) {
        return false;
    }
    auto *header = static_cast<Header *>(memory);
    header->layout = kLayout;
    header->next_stamp = 1;
    header->bytes = bytes;
    header->next_generation = 1;
    store_fence();
    header->magic = kMagic;
    return true;
}

bool ClaimTable::recognises(const void *memory, std::size_t bytes)
{
    const auto *header = static_cast<const Header *>(memory);
    return header->magic == kMagic && header->layout == kLayout
           && header->bytes == bytes;
}

ClaimTable::ClaimTable(void *memory, IsAlive is_alive)
    : memory_(static_cast<std::uint8_t *>(memory)), is_alive_(is_alive)
{
}

std::size_t ClaimTable::capacity() const
{
    return capacity_of(reinterpret_cast<Header *>(memory_)->bytes);
}

ClaimTable::Cell *ClaimTable::first_cell() const
{
    return reinterpret_cast<Cell *>(memory_ + sizeof(Header));
}

std::uint32_t ClaimTable::number_of(const Cell &cell) const
{
    return static_cast<std::uint32_t>(&cell - first_cell());
}

ClaimTable::Cell *ClaimTable::bucket_of(const Digest &key,
                                        unsigned choice) const
{
    Areas areas = areas_of(reinterpret_cast<Header *>(memory_)->bytes);
    std::uint64_t hash;
    std::memcpy(&hash, key.data() + choice * sizeof(hash), sizeof(hash));
    auto *cells = reinterpret_cast<Cell *>(memory_ + areas.cells_at);
    return cells + hash % areas.buckets * kCellsPerBucket;
}

ClaimTable::Cell *ClaimTable::find(const Digest &key) const
{
    for (unsigned choice = 0; choice < 2; choice++) {
        Cell *bucket = bucket_of(key, choice);
        for (std::size_t i = 0; i < kCellsPerBucket; i++) {
            if (bucket[i].claim_state() != ClaimState::free
                && bucket[i].key == key) {
                return &bucket[i];
            }
        }
    }
    return nullptr;
}

// A cell for a new claim: free, else expired, else the oldest that the chain
// itself stands behind. nullptr: all are needed.
ClaimTable::Cell *ClaimTable::room_for(const Digest &key, std::int64_t now)
{
    Cell *unsaid = nullptr;
    Cell *expired = nullptr;
    Cell *oldest = nullptr;
    for (unsigned choice = 0; choice < 2; choice++) {
        Cell *bucket = bucket_of(key, choice);
        for (std::size_t i = 0; i < kCellsPerBucket; i++) {
            Cell &cell = bucket[i];
            tidy(cell, now);
            ClaimState state = cell.claim_state();
            if (state == ClaimState::free) {
                return &cell;
            }
            if (cell.owner_stamp != 0) {
                continue;
            }
            if (cell.flags & kCloseUnsaid) {
                unsaid = &cell;
                continue;
            }
            if (cell.expires <= now) {
                expired = &cell;
            }
            bool replaceable = cell.expires != kNeverExpires
                               && ((state == ClaimState::delivered
                                    && !(cell.flags & kOnlyGuard))
                                   || state == ClaimState::refused
                                   || state == ClaimState::closed);
            if (replaceable && (!oldest || cell.changed < oldest->changed)) {
                oldest = &cell;
            }
        }
    }
    Cell *vacant = expired ? expired : oldest;
    return vacant ? vacant : unsaid;
}

ClaimTable::Cell *ClaimTable::cell_of(ClaimRef ref) const
{
    Areas areas = areas_of(reinterpret_cast<Header *>(memory_)->bytes);
    if (!ref || ref.cell >= areas.buckets * kCellsPerBucket) {
        return nullptr;
    }
    Cell *cell = reinterpret_cast<Cell *>(memory_ + areas.cells_at) + ref.cell;
    bool same = cell->claim_state() != ClaimState::free
                && cell->generation == ref.generation;
    return same ? cell : nullptr;
}

ClaimView ClaimTable::look_up(const ClaimFacts &facts, std::int64_t now)
{
    ClaimView view;
    Cell *cell = find(facts.key);
    if (cell == nullptr) {
        return view;
    }
    tidy(*cell, now);
    if (cell->claim_state() == ClaimState::free) {
        return view;
    }
    view = view_of(*cell);
    view.same_resource = cell->resource == facts.resource;
    view.same_client = cell->redeliver_key == facts.redeliver_key;
    view.same_amount = cell->amount == facts.amount;
    return view;
}

ClaimView ClaimTable::view_of(const Cell &cell) const
{
    ClaimView view;
    view.state = cell.claim_state();
    view.ref = {number_of(cell), cell.generation};
    view.key = cell.key;
    view.in_use = cell.owner_stamp != 0;
    view.was_verified = cell.flags & kWasVerified;
    view.ever_unknown = cell.flags & kEverUnknown;
    view.first_settle_sent = cell.flags & kFirstSettleSent;
    view.never_settled =
        view.state == ClaimState::paid && cell.settle_started == 0;
    view.executions = cell.executions;
    view.facilitator = cell.facilitator;
    view.settle_started = cell.settle_started;
    view.expires = cell.expires;
    if (view.state == ClaimState::paid) {
        view.receipt.assign(cell.receipt, cell.receipt_bytes);
    }
    return view;
}

ClaimView ClaimTable::view(ClaimRef ref) const
{
    const Cell *cell = cell_of(ref);
    return cell ? view_of(*cell) : ClaimView();
}

TakeOutcome ClaimTable::take(const ClaimFacts &facts, ClaimOwner owner,
                             std::int64_t now, ClaimRef &ref)
{
    Cell *cell = find(facts.key);
    if (cell != nullptr) {
        tidy(*cell, now);
        if (cell->claim_state() != ClaimState::free
            && cell->claim_state() != ClaimState::refused) {
            return TakeOutcome::in_use;
        }
    } else {
        cell = room_for(facts.key, now);
    }
    if (cell == nullptr || !may_open_another(now) || !journal_is_ready(now)) {
        return TakeOutcome::full;
    }

    auto *header = reinterpret_cast<Header *>(memory_);
    enter_state(*cell, ClaimState::free);
    store_fence();
    *cell = Cell{};
    cell->generation = header->next_generation++;
    cell->expires = facts.expires;
    cell->changed = now;
    cell->owner_slot = owner.slot;
    cell->owner_stamp = owner.stamp;
    cell->first_block = kNoBlock;
    cell->key = facts.key;
    cell->resource = facts.resource;
    cell->redeliver_key = facts.redeliver_key;
    cell->payer = facts.payer;
    cell->amount = facts.amount;
    cell->money = facts.money;
    cell->flags = facts.only_guard ? kOnlyGuard : 0;
    enter_state(*cell, ClaimState::verifying);
    ref = {number_of(*cell), cell->generation};
    return TakeOutcome::taken;
}

bool ClaimTable::resume(ClaimRef ref, ClaimOwner owner)
{
    Cell *cell = cell_of(ref);
    if (cell == nullptr || cell->owner_stamp != 0
        || cell->executions >= kMaxExecutions) {
        return false;
    }
    if (cell->claim_state() == ClaimState::paid) {
        cell->executions++;
        record_claim(*cell);
    } else if (cell->claim_state() != ClaimState::unknown) {
        return false;
    }
    cell->owner_slot = owner.slot;
    store_fence();
    cell->owner_stamp = owner.stamp;
    return true;
}

bool ClaimTable::set_settling(ClaimRef ref, std::string_view bytes,
                              std::uint64_t facilitator, std::int64_t now)
{
    Cell *cell = cell_of(ref);
    if (cell == nullptr) {
        return false;
    }
    // A settlement asked again keeps what was sent the first time.
    if (!(cell->flags & kEverUnknown)) {
        cell->facilitator = facilitator;
        cell->settle_started = now;
        keep_settle(*cell, bytes, now);
    }
    cell->changed = now;
    enter_state(*cell, ClaimState::settling);
    // Asked again it is UNKNOWN there already.
    return (cell->flags & kEverUnknown) || record_claim(*cell);
}

void ClaimTable::set_first_settle_sent(ClaimRef ref)
{
    if (Cell *cell = cell_of(ref)) {
        cell->flags |= kFirstSettleSent;
    }
}

bool ClaimTable::set_paid(ClaimRef ref, std::string_view receipt,
                          std::int64_t now)
{
    Cell *cell = cell_of(ref);
    if (cell == nullptr || receipt.size() > kReceiptBytes) {
        return cell == nullptr;
    }
    if (cell->executions == 0 || (cell->flags & kEverUnknown)) {
        cell->executions++;
    }
    std::memcpy(cell->receipt, receipt.data(), receipt.size());
    cell->receipt_bytes = static_cast<std::uint16_t>(receipt.size());
    cell->changed = now;
    enter_state(*cell, ClaimState::paid);
    record_claim(*cell);
    return true;
}

void ClaimTable::set_delivered(ClaimRef ref, std::int64_t now)
{
    if (Cell *cell = cell_of(ref)) {
        cell->changed = now;
        enter_state(*cell, ClaimState::delivered);
        record_claim(*cell);
        cell->owner_stamp = 0;
    }
}

void ClaimTable::set_refused(ClaimRef ref, std::int64_t now)
{
    if (Cell *cell = cell_of(ref)) {
        // Anybody can put another's name on a payment that nobody verified.
        if (cell->flags & kWasVerified) {
            record_refused(cell->payer, now);
        }
        cell->changed = now;
        enter_state(*cell, ClaimState::refused);
        record_claim(*cell);
        cell->owner_stamp = 0;
    }
}

void ClaimTable::set_unknown(ClaimRef ref, std::int64_t now)
{
    if (Cell *cell = cell_of(ref)) {
        cell->flags |= kEverUnknown;
        cell->changed = now;
        plan_retry(*cell, now);
        enter_state(*cell, ClaimState::unknown);
        record_claim(*cell);
        cell->owner_stamp = 0;
    }
}

void ClaimTable::set_owed(ClaimRef ref)
{
    if (Cell *cell = cell_of(ref)) {
        if (cell->claim_state() == ClaimState::delivered) {
            enter_state(*cell, ClaimState::paid);
            record_claim(*cell);
        }
        cell->owner_stamp = 0;
    }
}

void ClaimTable::free(ClaimRef ref)
{
    if (Cell *cell = cell_of(ref)) {
        record_freed(*cell);
        enter_state(*cell, ClaimState::free);
        cell->owner_stamp = 0;
    }
}

}  // namespace x402
