// SPDX-License-Identifier: Apache-2.0
// What is counted of the store that several machines share (x402_store): calls
// by script and outcome, how long they took, whether workers reach it, and what
// they have still to tell it. Words of a shard of the counters
// (session/status_counters.hpp): one relaxed addition each, and no lock.
#ifndef X402_SESSION_STORE_COUNTS_HPP
#define X402_SESSION_STORE_COUNTS_HPP

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace x402 {

// In the order of StoreScript.
constexpr std::size_t kStoreCalls = 14;
const char *store_call_label(std::size_t call);

enum class StoreOutcome : std::uint8_t {
    granted,    // done as asked
    elsewhere,  // another machine has it, or knows more
    error,      // the store refused it, and did nothing
    doubtful,   // no answer, or one that does not count: perhaps done
    away,       // nothing was sent
};
constexpr std::size_t kStoreOutcomes = 5;
const char *store_outcome_label(StoreOutcome outcome);

// Durations in fixed buckets of microseconds; counts are not cumulative.
struct StoreDurations {
    static constexpr std::size_t kBounds = 14;
    static const std::array<std::uint32_t, kBounds> &bounds();  // us

    std::array<std::uint64_t, kBounds + 1> buckets{};
    std::uint64_t sum = 0;  // us

    std::uint64_t count() const;
};

// Of all shards together.
struct StoreCounts {
    std::array<std::array<std::uint64_t, kStoreOutcomes>, kStoreCalls> calls{};
    StoreDurations awaited;         // what payments waited for
    std::uint64_t connected = 0;    // workers that reach all of it
    std::uint64_t away = 0;         // workers that do not
    std::uint64_t unconfirmed = 0;  // calls that it has not confirmed

    // False: machines share nothing.
    bool any() const { return connected + away != 0; }
};

// Part of shared memory: zeros are a good beginning.
class StoreCounters {
public:
    void count(std::size_t call, StoreOutcome outcome);
    void count_wait(std::uint64_t us);
    // As the worker of this shard knows it.
    void set_state(bool connected, std::uint64_t unconfirmed);
    // It ends. One that follows says its own.
    void clear_state();
    void add_to(StoreCounts &counts) const;

private:
    using Word = std::atomic<std::uint64_t>;

    std::array<std::array<Word, kStoreOutcomes>, kStoreCalls> calls_;
    std::array<Word, StoreDurations::kBounds + 1> buckets_;
    Word sum_;
    Word state_;  // 0: no store, 1: connected, 2: away
    Word unconfirmed_;
};
static_assert(sizeof(StoreCounters) % 64 == 0);

}  // namespace x402

#endif
