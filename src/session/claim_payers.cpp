// What a ClaimTable knows of payers: a fixed area of records in buckets of
// eight. A record that still says something (payments waiting, a refusal of the
// last ten minutes, an unproven delivery of the last day) is never given to
// another payer; one that does not is, the longest unused first. A payer who
// finds no record is trusted with nothing.
#include <algorithm>
#include <cstring>

#include "session/claim_table.hpp"
#include "session/claim_table_layout.hpp"

namespace x402 {

namespace {

bool is_recent(std::int64_t moment, std::int64_t now, std::int64_t window)
{
    return moment != 0 && now - moment < window;
}

}  // namespace

std::int64_t ClaimTable::Payer::last_used() const
{
    std::int64_t last = refused_at;
    for (std::int64_t moment : unproven) {
        last = std::max(last, moment);
    }
    return last;
}

bool ClaimTable::Payer::matters(std::int64_t now) const
{
    bool some_unproven = false;
    for (std::int64_t moment : unproven) {
        some_unproven =
            some_unproven || is_recent(moment, now, kUnprovenWindow);
    }
    return taken != 0
           && (waiting != 0 || some_unproven
               || is_recent(refused_at, now, kRefusedWindow));
}

ClaimTable::Payer *ClaimTable::payer_bucket(const Digest &payer) const
{
    Areas areas = areas_of(reinterpret_cast<Header *>(memory_)->bytes);
    std::uint64_t hash;
    std::memcpy(&hash, payer.data(), sizeof(hash));
    return reinterpret_cast<Payer *>(memory_ + areas.payers_at)
           + hash % areas.payer_buckets * kPayersPerBucket;
}

ClaimTable::Payer *ClaimTable::find_payer(const Digest &payer) const
{
    Payer *bucket = payer_bucket(payer);
    for (std::size_t i = 0; i < kPayersPerBucket; i++) {
        if (bucket[i].taken != 0 && bucket[i].payer == payer) {
            return &bucket[i];
        }
    }
    return nullptr;
}

// A record that may be taken for the payer; nullptr: all say something.
ClaimTable::Payer *ClaimTable::payer_room(const Digest &payer,
                                          std::int64_t now) const
{
    Payer *bucket = payer_bucket(payer);
    Payer *vacant = nullptr;
    for (std::size_t i = 0; i < kPayersPerBucket; i++) {
        if (bucket[i].taken == 0) {
            return &bucket[i];
        }
        if (!bucket[i].matters(now)
            && (!vacant || bucket[i].last_used() < vacant->last_used())) {
            vacant = &bucket[i];
        }
    }
    return vacant;
}

// His record, made if there is room.
ClaimTable::Payer *ClaimTable::payer_record(const Digest &payer,
                                            std::int64_t now) const
{
    if (Payer *known = find_payer(payer)) {
        return known;
    }
    Payer *record = payer_room(payer, now);
    if (record != nullptr) {
        record->taken = 0;
        store_fence();
        *record = Payer{};
        record->payer = payer;
        store_fence();
        record->taken = 1;
    }
    return record;
}

bool ClaimTable::settles_first(const Digest &payer, std::int64_t now) const
{
    repair();
    const Payer *record = find_payer(payer);
    if (record == nullptr) {
        return payer_room(payer, now) == nullptr;
    }
    return record->waiting >= kMaxWaiting
           || is_recent(record->refused_at, now, kRefusedWindow);
}

unsigned ClaimTable::waiting_of(const Digest &payer) const
{
    repair();
    const Payer *record = find_payer(payer);
    return record ? record->waiting : 0;
}

void ClaimTable::record_refused(const Digest &payer, std::int64_t now)
{
    if (Payer *record = payer_record(payer, now)) {
        record->refused_at = now;
        record_payer(*record);
    }
}

bool ClaimTable::count_unproven(const Digest &payer, unsigned limit,
                                std::int64_t now)
{
    Payer *record = payer_record(payer, now);
    if (record == nullptr) {
        return false;
    }
    unsigned recent = 0;
    std::int64_t *oldest = &record->unproven[0];
    for (std::int64_t &moment : record->unproven) {
        recent += is_recent(moment, now, kUnprovenWindow) ? 1 : 0;
        oldest = moment < *oldest ? &moment : oldest;
    }
    if (recent >= std::min(limit, kMaxUnproven)) {
        return false;
    }
    *oldest = now;
    record_payer(*record);
    return true;
}

// A verified payment waits for its settle. Precondition: set_verified() found
// his record, or made it.
void ClaimTable::count_waiting(const Cell &cell) const
{
    if (Payer *record = payer_record(cell.payer, cell.changed)) {
        record->waiting++;
    }
}

void ClaimTable::uncount_waiting(const Cell &cell) const
{
    Payer *record = find_payer(cell.payer);
    if (record != nullptr && record->waiting > 0) {
        record->waiting--;
    }
}

// Derived, like the count of open claims.
void ClaimTable::forget_waiting() const
{
    Areas areas = areas_of(reinterpret_cast<Header *>(memory_)->bytes);
    auto *payers = reinterpret_cast<Payer *>(memory_ + areas.payers_at);
    for (std::size_t i = 0; i < areas.payer_buckets * kPayersPerBucket; i++) {
        payers[i].waiting = 0;
    }
}

bool ClaimTable::set_verified(ClaimRef ref)
{
    Cell *cell = cell_of(ref);
    if (cell == nullptr) {
        return false;
    }
    repair();
    cell->flags |= kWasVerified;
    cell->executions++;
    Payer *record = payer_record(cell->payer, cell->changed);
    if (record == nullptr || record->waiting >= kMaxWaiting
        || is_recent(record->refused_at, cell->changed, kRefusedWindow)) {
        return false;
    }
    enter_state(*cell, ClaimState::verified);
    return true;
}

}  // namespace x402
