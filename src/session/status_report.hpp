// SPDX-License-Identifier: Apache-2.0
// What x402_status tells, at one moment: plain values, gathered from the
// counters and from what the server knows, and written as Prometheus text, JSON
// or a page for people. Payers are in none of it.
#ifndef X402_SESSION_STATUS_REPORT_HPP
#define X402_SESSION_STATUS_REPORT_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "session/status_counters.hpp"

namespace x402 {

struct StatusReport {
    std::string version;
    std::string server_version;  // of nginx
    std::int64_t now = 0;        // unix s
    std::int64_t started = 0;

    std::vector<StatusCounters::LabelView> labels;  // row 0: what had no room
    std::vector<StatusCounters::RevenueView> revenues;
    struct Facilitator {
        StatusCounters::FacilitatorView counts;
        // "scheme network", of the last answer to /supported; empty: not known.
        std::vector<std::string> supports;
    };
    std::vector<Facilitator> facilitators;  // row 0: what had no room
    DurationCounts hold;

    std::optional<ClaimCensus> claims;
    struct Journal {
        std::string path;
        std::uint64_t bytes = 0;
        bool writable = false;
    };
    std::optional<Journal> journal;
    std::optional<std::uint64_t>
        webhook_waiting;  // events; nullopt: no webhook
    std::uint64_t webhook_lost = 0;
    // What is counted of x402_store; nullopt: there is none.
    std::optional<StoreCounts> store;
    std::uint64_t ledger_written = 0;
    std::uint64_t ledger_lost = 0;
};

// Everything that the counters know; versions, the journal's path and what
// facilitators support are the caller's to fill in.
StatusReport read_status(const StatusCounters &counters, std::int64_t now);

// One currency of one network, over all locations, receivers and servers, or of
// one location only.
struct RevenueLine {
    std::string network;
    std::string asset;   // as it is on the chain
    std::string symbol;  // or the asset itself
    std::optional<unsigned> decimals;
    std::optional<bool> test;  // nullopt: not known
    std::uint32_t label = 0;
    RevenueSum all;
    RevenueSum today;
    RevenueSum week;
};
std::vector<RevenueLine> revenue_by_asset(const StatusReport &report);
std::vector<RevenueLine> revenue_by_label(const StatusReport &report);

// A decimal number where the decimals are known, else atomic units.
std::string amount_text(const RevenueSum &sum,
                        const std::optional<unsigned> &decimals);
// Of an open payment, with the unit that the asset table knows.
std::string amount_text(const OpenPayment &payment);

enum class Exposition { prometheus, openmetrics };
// Names of metrics: docs/operations.md. Prometheus text format 0.0.4, or
// OpenMetrics 1.0.
std::string status_metrics(const StatusReport &report, Exposition format);
std::string status_json(const StatusReport &report);
// HTML without anything to load.
std::string status_page(const StatusReport &report);

}  // namespace x402

#endif
