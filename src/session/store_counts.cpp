// SPDX-License-Identifier: Apache-2.0
#include "session/store_counts.hpp"

namespace x402 {

namespace {

constexpr auto relaxed = std::memory_order_relaxed;

}  // namespace

const char *store_call_label(std::size_t call)
{
    constexpr const char *kNames[] = {
        "take",      "settling", "paid",     "finish", "resume",
        "takeover",  "renew",    "unproven", "name",   "due",
        "supported", "pass",     "nonce",    "bought",
    };
    static_assert(sizeof(kNames) / sizeof(kNames[0]) == kStoreCalls);
    return kNames[call];
}

const char *store_outcome_label(StoreOutcome outcome)
{
    constexpr const char *kNames[] = {"granted", "elsewhere", "error",
                                      "doubtful", "away"};
    static_assert(sizeof(kNames) / sizeof(kNames[0]) == kStoreOutcomes);
    return kNames[static_cast<std::size_t>(outcome)];
}

const std::array<std::uint32_t, StoreDurations::kBounds> &
StoreDurations::bounds()
{
    static constexpr std::array<std::uint32_t, kBounds> kUs = {
        100,   250,   500,    1000,   2500,   5000,    10000,
        25000, 50000, 100000, 250000, 500000, 1000000, 5000000};
    return kUs;
}

std::uint64_t StoreDurations::count() const
{
    std::uint64_t all = 0;
    for (std::uint64_t bucket : buckets) {
        all += bucket;
    }
    return all;
}

void StoreCounters::count(std::size_t call, StoreOutcome outcome)
{
    calls_[call][static_cast<std::size_t>(outcome)].fetch_add(1, relaxed);
}

void StoreCounters::count_wait(std::uint64_t us)
{
    const auto &bounds = StoreDurations::bounds();
    std::size_t bucket = 0;
    while (bucket < bounds.size() && us > bounds[bucket]) {
        bucket++;
    }
    buckets_[bucket].fetch_add(1, relaxed);
    sum_.fetch_add(us, relaxed);
}

void StoreCounters::set_state(bool connected, std::uint64_t unconfirmed)
{
    state_.store(connected ? 1 : 2, relaxed);
    unconfirmed_.store(unconfirmed, relaxed);
}

void StoreCounters::clear_state()
{
    state_.store(0, relaxed);
    unconfirmed_.store(0, relaxed);
}

void StoreCounters::add_to(StoreCounts &counts) const
{
    for (std::size_t call = 0; call < kStoreCalls; call++) {
        for (std::size_t n = 0; n < kStoreOutcomes; n++) {
            counts.calls[call][n] += calls_[call][n].load(relaxed);
        }
    }
    for (std::size_t i = 0; i < buckets_.size(); i++) {
        counts.awaited.buckets[i] += buckets_[i].load(relaxed);
    }
    counts.awaited.sum += sum_.load(relaxed);
    std::uint64_t state = state_.load(relaxed);
    counts.connected += state == 1 ? 1 : 0;
    counts.away += state == 2 ? 1 : 0;
    counts.unconfirmed += unconfirmed_.load(relaxed);
}

}  // namespace x402
