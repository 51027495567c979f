// SPDX-License-Identifier: Apache-2.0
// What x402_status counts: a fixed block of memory, shared by all workers, that
// the caller owns (an nginx zone; a vector in tests).
//
// Hot path: one relaxed atomic addition to a word of the caller's own shard. No
// lock is taken and no other worker writes that cache line, unless more workers
// run than there are shards, or an old one still ends. A reader sums the
// shards. Names of labels and facilitators are added by the master alone, while
// it reads its configuration; series of revenue are added by workers under the
// zone's lock, once for each.
//
// All tables are bounded. What does not fit is counted in row 0, "other".
#ifndef X402_SESSION_STATUS_COUNTERS_HPP
#define X402_SESSION_STATUS_COUNTERS_HPP

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "session/claim_census.hpp"
#include "session/refusal_label.hpp"
#include "session/store_counts.hpp"

namespace x402 {

// What is counted for each location label.
enum class LabelCounter : std::uint8_t {
    // Requests, by what had become of them when they ended ($x402_state).
    free,
    bypassed,
    pass,
    signed_in,
    challenged,
    refused,
    verified,
    settled,
    unknown,
    failed,
    // Steps on the way.
    presented,    // came with a payment that could be read
    valid,        // of which the facilitator said that it is good
    delivered,    // content, the first time
    redelivered,  // content that was paid for earlier
    owed,         // charged, and the content did not arrive
    // x402 shadow: what would have happened.
    would_challenge,
    would_refuse,
    would_charge,
};
constexpr std::size_t kLabelCounters = 18;

enum class CallEndpoint : std::uint8_t { verify, settle, supported, plan };
constexpr std::size_t kCallEndpoints = 4;
const char *endpoint_label(CallEndpoint endpoint);

// How a call ended: an HTTP status, or a class of them, or why there is none.
constexpr std::size_t kCallCodes = 18;
// `status` 0: no answer.
std::size_t call_code(int status, bool timed_out, bool connected);
const char *call_code_label(std::size_t code);

enum class SettlementOutcome : std::uint8_t {
    paid,
    unproven,
    refused,
    not_processed,
    unknown,
    waived,
};
constexpr std::size_t kSettlementOutcomes = 6;
const char *outcome_label(SettlementOutcome outcome);

// Durations in fixed buckets; counts are not cumulative.
struct DurationCounts {
    static constexpr std::size_t kBounds = 12;
    static const std::array<std::uint32_t, kBounds> &bounds();  // ms

    std::array<std::uint64_t, kBounds + 1> buckets{};
    std::uint64_t sum = 0;  // ms

    std::uint64_t count() const;
};

// A series of revenue.
struct RevenueKey {
    std::uint32_t label = 0;
    std::string_view network;
    std::string_view asset;
    std::string_view pay_to;
    // Not compared: what readers need to name the amount.
    std::string_view symbol = {};
    std::uint8_t decimals = 255;  // 255: not known
};

// Amounts are 256 bits, as eight limbs of 32. Each limb has a counter of its
// own, so that adding needs no carry and a reader cannot see half of one.
struct RevenueSum {
    std::array<std::uint64_t, 8> limbs{};
    std::uint64_t payments = 0;

    void add(const RevenueSum &other);
    // Precondition: `earlier` was the same sum, earlier.
    void subtract(const RevenueSum &earlier);
    std::array<std::uint8_t, 32> bytes() const;  // big-endian, modulo 2^256
};

class StatusCounters {
public:
    static constexpr std::uint32_t kShards = 16;
    static constexpr std::uint32_t kLabels = 1024;
    static constexpr std::uint32_t kFacilitators = 32;
    static constexpr std::uint32_t kRevenues = 1024;
    static constexpr std::uint32_t kDays = 8;
    static constexpr std::uint32_t kOther = 0;
    static constexpr std::size_t kServerBytes = 100;
    static constexpr std::size_t kLabelBytes = 128;
    static constexpr std::size_t kNameBytes = 240;

    static std::size_t bytes();
    // Lays the block out in zeroed memory, aligned to 64; `now` in unix s.
    static void format(void *memory, std::int64_t now);
    static bool recognises(const void *memory);

    // Lifetime: borrows a formatted block. `worker` is any number; it chooses
    // the shard.
    StatusCounters(void *memory, std::size_t worker);
    // To be called before counting: readers skip shards that were never used.
    void use_shard();

    // The master, while no other process adds names. For each pair of a server
    // and a label its row, or kOther.
    std::vector<std::uint32_t>
    add_labels(const std::vector<std::pair<std::string, std::string>> &labels);
    std::uint32_t add_facilitator(std::string_view name);

    void count(std::uint32_t label, LabelCounter counter);
    void count(std::uint32_t label, RefusalLabel reason);
    void count_call(std::uint32_t facilitator, CallEndpoint endpoint,
                    std::size_t code, std::uint64_t ms);
    void count_settlement(std::uint32_t facilitator, SettlementOutcome outcome);
    void count_hold(std::uint64_t ms);
    void count_ledger(bool written, std::uint64_t lines);
    void count_lost_event();

    // Of this worker's shard.
    StoreCounters &store();

    // As this worker knows it.
    void set_breaker(std::uint32_t facilitator, bool open);
    // Of the last call of any worker.
    void set_answered(std::uint32_t facilitator, bool answered);

    // kOther: there is none yet. Needs no lock.
    std::uint32_t find_revenue(const RevenueKey &key) const;
    // Whether a series is that of the key: less work than to find it.
    bool is_revenue(std::uint32_t series, const RevenueKey &key) const;
    // What a series is about. Lifetime: the block's.
    RevenueKey revenue_key(std::uint32_t series) const;
    // Server and label of a row. Lifetime: the block's.
    std::pair<std::string_view, std::string_view>
    label_names(std::uint32_t row) const;
    // Hold the lock. When three quarters are taken, receivers and labels that
    // are new are counted together, asset by asset.
    std::uint32_t add_revenue(const RevenueKey &key);
    // True: begin_day() comes first, under the lock.
    bool is_new_day(std::uint32_t series, std::int64_t day) const;
    void begin_day(std::uint32_t series, std::int64_t day);
    void add_amount(std::uint32_t series,
                    const std::array<std::uint8_t, 32> &amount);

    // Hold the lock to publish; census() needs none.
    void publish(const ClaimCensus &census);
    std::optional<ClaimCensus> census() const;

    // --- for readers ---------------------------------------------------------

    struct LabelView {
        std::string server;
        std::string label;
        std::array<std::uint64_t, kLabelCounters> counters{};
        std::array<std::uint64_t, kRefusalLabels> refusals{};
    };
    struct FacilitatorView {
        std::string name;
        std::array<std::array<std::uint64_t, kCallCodes>, kCallEndpoints>
            calls{};
        std::array<DurationCounts, kCallEndpoints> durations{};
        std::array<std::uint64_t, kSettlementOutcomes> outcomes{};
        bool breaker_open = false;
        std::optional<bool> answered;
    };
    struct RevenueView {
        std::uint32_t label = 0;
        std::string network;
        std::string asset;
        std::string pay_to;
        std::string symbol;
        std::optional<unsigned> decimals;
        RevenueSum all;
        RevenueSum today;
        RevenueSum week;
    };

    std::int64_t started() const;
    std::uint32_t labels() const;        // rows, with kOther
    std::uint32_t facilitators() const;  // rows, with kOther
    std::uint32_t revenues() const;      // taken, anywhere among kRevenues
    LabelView label(std::uint32_t row) const;
    FacilitatorView facilitator(std::uint32_t row) const;
    // Empty network: the row is free.
    RevenueView revenue(std::uint32_t row, std::int64_t day) const;
    DurationCounts hold() const;
    std::uint64_t ledger_lines(bool written) const;
    // That could not be kept for the webhook.
    std::uint64_t lost_events() const;
    StoreCounts store_counts() const;

private:
    using Word = std::atomic<std::uint64_t>;
    struct Header;
    struct LabelName;
    struct FacilitatorName;
    struct RevenueName;
    struct Shard;

    std::uint32_t append_label(std::string_view server, std::string_view label);
    Header &header() const;
    LabelName &label_name(std::uint32_t row) const;
    FacilitatorName &facilitator_name(std::uint32_t row) const;
    RevenueName &revenue_name(std::uint32_t row) const;
    Shard &shard(std::uint32_t number) const;
    template <class Visit> void each_shard(Visit &&visit) const;
    RevenueSum total(std::uint32_t series) const;
    static bool same(const RevenueName &row, const RevenueKey &key);

    std::uint8_t *memory_;
    std::uint32_t number_;
    Shard *own_;
};

// Whole days since the epoch, UTC.
constexpr std::int64_t day_of(std::int64_t unix_seconds)
{
    return unix_seconds / 86400;
}

}  // namespace x402

#endif
