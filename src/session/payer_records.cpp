// SPDX-License-Identifier: Apache-2.0
#include "session/payer_records.hpp"

#include <algorithm>
#include <functional>

namespace x402 {

namespace {

constexpr std::int64_t kUnprovenWindow = 24 * 3600;
constexpr std::int64_t kRefusedWindow = 600;
constexpr std::int64_t kAbandonedWindow = 300;

bool is_recent(std::int64_t moment, std::int64_t now, std::int64_t window)
{
    return moment != 0 && now - moment < window;
}

std::int64_t last_used(const PayerRecord &record)
{
    std::int64_t last = std::max(record.refused_at, record.abandoned_at);
    for (std::int64_t moment : record.unproven) {
        last = std::max(last, moment);
    }
    return last;
}

bool matters(const PayerRecord &record, std::int64_t now)
{
    bool some_unproven = false;
    for (std::int64_t moment : record.unproven) {
        some_unproven =
            some_unproven || is_recent(moment, now, kUnprovenWindow);
    }
    return record.taken != 0
           && (record.waiting != 0 || record.unverified != 0 || some_unproven
               || record.stream_expires > now
               || is_recent(record.refused_at, now, kRefusedWindow)
               || is_recent(record.abandoned_at, now, kAbandonedWindow));
}

// Nothing while a stream is not settled, or was not when it expired.
unsigned good_settlements(const PayerRecord &record)
{
    return record.stream_expires == 0 ? record.settled : 0;
}

// Of two records that may be given up.
bool is_missed_less(const PayerRecord &one, const PayerRecord &other)
{
    bool good = good_settlements(one) >= kGoodRecord;
    bool other_good = good_settlements(other) >= kGoodRecord;
    return good == other_good ? last_used(one) < last_used(other) : other_good;
}

// No payer has this digest: it is not a SHA-256.
Digest name_of(std::uint32_t client)
{
    Digest name{};
    std::memcpy(name.data(), &client, sizeof(client));
    return name;
}

// Of what the payer has settled under these terms (ClaimBinding.terms). Both
// are digests, and the client chooses one of them at most.
Digest name_of(const Digest &payer, const ClaimBinding &binding)
{
    Digest name;
    std::transform(payer.begin(), payer.end(), binding.terms.begin(),
                   name.begin(), std::bit_xor<>());
    return name;
}

bool must_settle_first(const PayerRecord &record, std::int64_t now)
{
    unsigned abandoned = is_recent(record.abandoned_at, now, kAbandonedWindow)
                             ? record.abandoned
                             : 0;
    return record.waiting + abandoned >= kMaxWaiting
           || is_recent(record.refused_at, now, kRefusedWindow);
}

}  // namespace

PayerRecord *PayerRecords::find(const Digest &payer) const
{
    PayerRecord *bucket = memory_.payer_bucket(payer);
    for (std::size_t i = 0; i < kPayersPerBucket; i++) {
        if (bucket[i].taken != 0 && bucket[i].payer == payer) {
            return &bucket[i];
        }
    }
    return nullptr;
}

// A record that may be given to the payer; nullptr: all of them matter.
PayerRecord *PayerRecords::find_room(const Digest &payer,
                                     std::int64_t now) const
{
    PayerRecord *bucket = memory_.payer_bucket(payer);
    PayerRecord *vacant = nullptr;
    for (std::size_t i = 0; i < kPayersPerBucket; i++) {
        if (bucket[i].taken == 0) {
            return &bucket[i];
        }
        if (!matters(bucket[i], now)
            && (!vacant || is_missed_less(bucket[i], *vacant))) {
            vacant = &bucket[i];
        }
    }
    return vacant;
}

PayerRecord *PayerRecords::find_or_make(const Digest &payer, std::int64_t now)
{
    if (PayerRecord *known = find(payer)) {
        return known;
    }
    PayerRecord *record = find_room(payer, now);
    if (record != nullptr) {
        record->taken = 0;
        store_fence();
        *record = PayerRecord{};
        record->payer = payer;
        store_fence();
        record->taken = 1;
    }
    return record;
}

bool PayerRecords::settles_first(const Digest &payer, std::int64_t now) const
{
    const PayerRecord *record = find(payer);
    return record ? must_settle_first(*record, now)
                  : find_room(payer, now) == nullptr;
}

bool PayerRecords::admit(const Digest &payer, std::int64_t now)
{
    const PayerRecord *record = find_or_make(payer, now);
    return record != nullptr && !must_settle_first(*record, now);
}

void PayerRecords::add_waiting(const ClaimCell &cell)
{
    if (PayerRecord *record = find_or_make(cell.payer, cell.changed)) {
        record->waiting++;
    }
}

void PayerRecords::remove_waiting(const ClaimCell &cell)
{
    PayerRecord *record = find(cell.payer);
    if (record != nullptr && record->waiting > 0) {
        record->waiting--;
    }
}

void PayerRecords::add_unverified(const ClaimCell &cell)
{
    if (PayerRecord *record =
            find_or_make(name_of(cell.client), cell.changed)) {
        record->unverified++;
    }
}

void PayerRecords::remove_unverified(const ClaimCell &cell)
{
    PayerRecord *record = find(name_of(cell.client));
    if (record != nullptr && record->unverified > 0) {
        record->unverified--;
    }
}

std::size_t PayerRecords::unverified_of(std::uint32_t client) const
{
    const PayerRecord *record = find(name_of(client));
    return record ? record->unverified : 0;
}

bool PayerRecords::has_room_for(std::uint32_t client, std::int64_t now) const
{
    Digest name = name_of(client);
    return find(name) != nullptr || find_room(name, now) != nullptr;
}

std::size_t PayerRecords::vacant_of(const Digest &name, std::int64_t now) const
{
    const PayerRecord *bucket = memory_.payer_bucket(name);
    return static_cast<std::size_t>(std::count_if(
        bucket, bucket + kPayersPerBucket,
        [now](const PayerRecord &r) { return !matters(r, now); }));
}

bool PayerRecords::may_serve_unverified(std::uint32_t client,
                                        std::int64_t now) const
{
    const PayerRecord *record = find(name_of(client));
    return (!record || !is_recent(record->refused_at, now, kRefusedWindow))
           && vacant_of(name_of(client), now) >= kPayersPerBucket / 2;
}

void PayerRecords::record_unverified_refusal(std::uint32_t client,
                                             std::int64_t now)
{
    Digest name = name_of(client);
    if (find(name) || vacant_of(name, now) >= kPayersPerBucket / 2) {
        record_refused(name, now);
    }
}

void PayerRecords::reset_counts()
{
    for (std::size_t i = 0; i < memory_.payer_count(); i++) {
        memory_.payer(i).waiting = 0;
        memory_.payer(i).unverified = 0;
    }
}

void PayerRecords::record_refused(const Digest &payer, std::int64_t now)
{
    if (PayerRecord *record = find_or_make(payer, now)) {
        record->refused_at = now;
        journal_.record_payer(*record);
    }
}

void PayerRecords::record_settled(const ClaimCell &cell, std::int64_t now)
{
    // Money: a client can have its answers cost nothing, as often as it likes.
    if (cell.binding.paid == AmountBytes{}) {
        return;
    }
    PayerRecord *record = find_or_make(name_of(cell.payer, cell.binding), now);
    if (record == nullptr) {
        return;
    }
    bool settles_stream =
        cell.streamed && record->stream_expires == cell.expires;
    if (record->stream_expires > now && !settles_stream) {
        return;
    }
    if (record->stream_expires != 0) {
        record->settled = settles_stream ? record->settled : 0;
        record->stream_expires = 0;
    }
    unsigned count = cell.on_record ? 2 : 1;
    record->settled = static_cast<std::uint16_t>(
        std::min(record->settled + count, kBestRecord));
}

bool PayerRecords::spend_settled(const ClaimCell &cell)
{
    PayerRecord *record = find(name_of(cell.payer, cell.binding));
    if (record == nullptr || good_settlements(*record) < kGoodRecord) {
        return false;
    }
    record->settled--;
    return true;
}

bool PayerRecords::spend_for_stream(const ClaimCell &cell, unsigned least)
{
    PayerRecord *record = find(name_of(cell.payer, cell.binding));
    if (record == nullptr || good_settlements(*record) < std::max(least, 1U)) {
        return false;
    }
    record->stream_expires = cell.expires;
    return true;
}

void PayerRecords::forget_settled(const ClaimCell &cell)
{
    if (PayerRecord *record = find(name_of(cell.payer, cell.binding))) {
        record->settled = 0;
    }
}

bool PayerRecords::settled_lately(const ClaimFacts &facts) const
{
    const PayerRecord *record = find(name_of(facts.payer, facts.binding));
    return record && good_settlements(*record) >= kGoodRecord;
}

void PayerRecords::record_abandoned(const Digest &payer, std::int64_t now)
{
    PayerRecord *record = find_or_make(payer, now);
    if (record == nullptr) {
        return;
    }
    if (!is_recent(record->abandoned_at, now, kAbandonedWindow)) {
        record->abandoned = 0;
    }
    if (record->abandoned < kMaxWaiting) {
        record->abandoned++;
    }
    record->abandoned_at = now;
}

bool PayerRecords::count_unproven(const Digest &payer, unsigned limit,
                                  std::int64_t now)
{
    PayerRecord *record = find_or_make(payer, now);
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
    journal_.record_payer(*record);
    return true;
}

bool PayerRecords::restore(const JournalRecord &record, std::int64_t now)
{
    PayerRecord *payer = find_or_make(record.key, now);
    if (payer == nullptr) {
        return false;
    }
    std::copy(record.unproven.begin(), record.unproven.end(), payer->unproven);
    payer->refused_at = record.refused_at;
    return true;
}

}  // namespace x402
