// SPDX-License-Identifier: Apache-2.0
// The report as Prometheus reads it. Every family is written whole, with HELP
// and TYPE; a series that may stay 0 (a reason, a code) once it is not.
#include "base/decimal_amount.hpp"
#include "session/claim_table.hpp"
#include "session/metrics_text.hpp"
#include "session/status_report.hpp"

namespace x402 {

namespace {

using LabelNames = std::vector<std::string>;
LabelNames label_names(const StatusReport &report)
{
    LabelNames names;
    names.reserve(report.labels.size());
    for (const auto &row : report.labels) {
        names.push_back(metric_label("server", row.server) + ","
                        + metric_label("location", row.label));
    }
    return names;
}

// Row 0 is written once something was counted there.
bool is_shown(std::size_t row, const StatusCounters::LabelView &view)
{
    if (row != StatusCounters::kOther) {
        return true;
    }
    std::uint64_t all = 0;
    for (std::uint64_t count : view.counters) {
        all += count;
    }
    return all != 0;
}

std::uint64_t of(const StatusCounters::LabelView &view, LabelCounter counter)
{
    return view.counters[static_cast<std::size_t>(counter)];
}

struct Named {
    LabelCounter counter;
    std::string_view labels;
};

constexpr Named kStates[] = {
    {LabelCounter::free, ",state=\"free\""},
    {LabelCounter::bypassed, ",state=\"bypassed\""},
    {LabelCounter::pass, ",state=\"pass\""},
    {LabelCounter::signed_in, ",state=\"signed_in\""},
    {LabelCounter::challenged, ",state=\"challenged\""},
    {LabelCounter::refused, ",state=\"refused\""},
    {LabelCounter::verified, ",state=\"verified\""},
    {LabelCounter::settled, ",state=\"settled\""},
    {LabelCounter::unknown, ",state=\"unknown\""},
    {LabelCounter::failed, ",state=\"failed\""},
};
constexpr Named kSteps[] = {
    {LabelCounter::presented, ",step=\"presented\""},
    {LabelCounter::valid, ",step=\"verified\""},
};
constexpr Named kDeliveries[] = {
    {LabelCounter::delivered, ",outcome=\"delivered\""},
    {LabelCounter::redelivered, ",outcome=\"redelivered\""},
    {LabelCounter::owed, ",outcome=\"owed\""},
};
constexpr Named kShadow[] = {
    {LabelCounter::would_challenge, ",outcome=\"would_challenge\""},
    {LabelCounter::would_refuse, ",outcome=\"would_refuse\""},
    {LabelCounter::would_charge, ",outcome=\"would_charge\""},
};

// Bytes of all that is written for each location, whatever was counted, and
// something for the rest.
std::size_t length_of_locations(const LabelNames &names)
{
    constexpr std::size_t kLines =
        std::size(kStates) + std::size(kSteps) + std::size(kDeliveries);
    constexpr std::size_t kAround = 64;  // name, braces, state and number
    std::size_t length = 64 * 1024;
    for (const std::string &name : names) {
        length += kLines * (name.size() + kAround);
    }
    return length;
}

template <std::size_t N>
void put_counters(MetricsText &text, const StatusReport &report,
                  const LabelNames &names, const Named (&rows)[N],
                  bool zeros = true)
{
    for (std::size_t row = 0; row < report.labels.size(); row++) {
        const auto &view = report.labels[row];
        if (!is_shown(row, view)) {
            continue;
        }
        for (const Named &named : rows) {
            if (std::uint64_t count = of(view, named.counter);
                zeros || count != 0) {
                text.sample(names[row], count, named.labels);
            }
        }
    }
}

void put_locations(MetricsText &text, const StatusReport &report,
                   const LabelNames &names)
{
    text.family("requests", MetricKind::counter,
                "Requests to paid locations, by outcome.");
    put_counters(text, report, names, kStates);
    text.family("shadow", MetricKind::counter, "What would have happened.");
    put_counters(text, report, names, kShadow, false);
    text.family("payments_seen", MetricKind::counter,
                "Payments that were presented, and those that were verified.");
    put_counters(text, report, names, kSteps);
    text.family("deliveries", MetricKind::counter,
                "Paid content: delivered, delivered again, owed.");
    put_counters(text, report, names, kDeliveries);
    text.family("refusals", MetricKind::counter,
                "Payments that were not served, by reason.");
    for (std::size_t row = 0; row < report.labels.size(); row++) {
        for (std::size_t n = 0; n < kRefusalLabels; n++) {
            if (std::uint64_t count = report.labels[row].refusals[n]) {
                text.sample(names[row], count,
                            ",reason=\""
                                + std::string(refusal_label_name(
                                    static_cast<RefusalLabel>(n)))
                                + '"');
            }
        }
    }
}

std::string revenue_labels(const LabelNames &names, const std::string &network,
                           std::string_view asset, std::uint32_t row)
{
    return metric_label("network", network) + "," + metric_label("asset", asset)
           + "," + names[row < names.size() ? row : StatusCounters::kOther];
}

void put_revenue(MetricsText &text, const StatusReport &report,
                 const LabelNames &names)
{
    text.family("revenue_atomic", MetricKind::counter,
                "Settled, in the smallest unit of the asset.");
    for (const auto &view : report.revenues) {
        text.sample(
            revenue_labels(names, view.network,
                           view.symbol.empty() ? view.asset : view.symbol,
                           view.label)
                + "," + metric_label("pay_to", view.pay_to),
            atomic_amount_text(view.all.bytes()));
    }
    text.family("revenue", MetricKind::counter,
                "Settled, in the asset itself; real and test money.");
    for (const RevenueLine &line : revenue_by_label(report)) {
        if (line.decimals) {
            text.sample(
                revenue_labels(names, line.network, line.symbol, line.label),
                amount_text(line.all, line.decimals));
        }
    }
}

std::vector<std::string> facilitator_names(const StatusReport &report)
{
    std::vector<std::string> names;
    for (const auto &row : report.facilitators) {
        names.push_back(metric_label("facilitator", row.counts.name));
    }
    return names;
}

template <class Put> void each_endpoint(const StatusReport &report, Put &&put)
{
    auto names = facilitator_names(report);
    for (std::size_t row = 0; row < names.size(); row++) {
        for (std::size_t e = 0; e < kCallEndpoints; e++) {
            std::string labels = names[row] + ",endpoint=\""
                                 + endpoint_label(static_cast<CallEndpoint>(e))
                                 + "\"";
            put(report.facilitators[row].counts, e, labels);
        }
    }
}

void put_calls(MetricsText &text, const StatusReport &report)
{
    using View = StatusCounters::FacilitatorView;
    text.family("facilitator_requests", MetricKind::counter,
                "Calls to facilitators, by HTTP status or failure.");
    each_endpoint(report, [&](const View &view, std::size_t e,
                              const std::string &labels) {
        for (std::size_t code = 0; code < kCallCodes; code++) {
            if (std::uint64_t count = view.calls[e][code]) {
                text.sample(labels + ",code=\"" + call_code_label(code) + "\"",
                            count);
            }
        }
    });
    text.family("facilitator_request_duration_seconds", MetricKind::histogram,
                "How long calls to facilitators took.");
    each_endpoint(report, [&](const View &view, std::size_t e,
                              const std::string &labels) {
        if (view.durations[e].count() != 0) {
            text.histogram(labels, view.durations[e]);
        }
    });
}

void put_facilitators(MetricsText &text, const StatusReport &report)
{
    auto names = facilitator_names(report);
    text.family("settlements", MetricKind::counter,
                "Settlements that ended, by outcome.");
    for (std::size_t row = 0; row < names.size(); row++) {
        for (std::size_t n = 0; n < kSettlementOutcomes; n++) {
            std::uint64_t count = report.facilitators[row].counts.outcomes[n];
            if (row != StatusCounters::kOther || count != 0) {
                text.sample(
                    names[row] + ",outcome=\""
                        + outcome_label(static_cast<SettlementOutcome>(n))
                        + "\"",
                    count);
            }
        }
    }
    put_calls(text, report);
    text.family("facilitator_up", MetricKind::gauge,
                "Whether the last call to a facilitator was answered.");
    for (std::size_t row = 1; row < names.size(); row++) {
        const auto &answered = report.facilitators[row].counts.answered;
        if (answered) {
            text.sample(names[row], *answered ? 1 : 0);
        }
    }
    text.family("breaker_open", MetricKind::gauge,
                "Whether a worker avoids a facilitator that failed.");
    for (std::size_t row = 1; row < names.size(); row++) {
        text.sample(names[row],
                    report.facilitators[row].counts.breaker_open ? 1 : 0);
    }
    text.family("hold_duration_seconds", MetricKind::histogram,
                "How long responses were held back for their settlement.");
    text.histogram("", report.hold);
}

void put_claims(MetricsText &text, const StatusReport &report)
{
    const ClaimCensus claims = report.claims.value_or(ClaimCensus());
    auto in_state = [&claims](ClaimState state) {
        return claims.states[static_cast<std::size_t>(state)];
    };
    text.family("payments", MetricKind::gauge,
                "Payments in flight, of unknown outcome, and owed.");
    text.sample("state=\"inflight\"", claims.in_flight);
    text.sample("state=\"unknown\"", in_state(ClaimState::unknown));
    text.sample("state=\"owed\"", claims.owed);
    text.family("oldest_unknown_seconds", MetricKind::gauge,
                "Age of the oldest payment of unknown outcome; 0: none.");
    text.sample(
        "", claims.oldest_unknown != 0 && report.now > claims.oldest_unknown
                ? static_cast<std::uint64_t>(report.now - claims.oldest_unknown)
                : 0);
    text.family("zone_claims", MetricKind::gauge,
                "Claims in the zone by state; together its size.");
    for (std::size_t n = 0; n < kCensusStates; n++) {
        text.sample(std::string("state=\"")
                        + claim_state_name(static_cast<ClaimState>(n)) + "\"",
                    claims.states[n]);
    }
}

void put_books(MetricsText &text, const StatusReport &report)
{
    if (report.journal) {
        text.family("journal_bytes", MetricKind::gauge, "Size of the journal.");
        text.sample("", report.journal->bytes);
        text.family("journal_writable", MetricKind::gauge,
                    "Whether the last write to the journal succeeded.");
        text.sample("", report.journal->writable ? 1 : 0);
    }
    if (report.webhook_waiting) {
        text.family("webhook_waiting_events", MetricKind::gauge,
                    "Events that are still to be sent.");
        text.sample("", *report.webhook_waiting);
        text.family("webhook_lost_events", MetricKind::counter,
                    "Events that could not be kept until they are sent.");
        text.sample("", report.webhook_lost);
    }
    text.family("ledger_lines", MetricKind::counter,
                "Lines for the ledger, written and lost.");
    text.sample("outcome=\"written\"", report.ledger_written);
    text.sample("outcome=\"lost\"", report.ledger_lost);
}

void put_store(MetricsText &text, const StatusReport &report)
{
    if (!report.store) {
        return;
    }
    const StoreCounts &store = *report.store;
    text.family("store_workers", MetricKind::gauge,
                "Workers that reach the whole store, and that do not.");
    text.sample("state=\"connected\"", store.connected);
    text.sample("state=\"away\"", store.away);
    text.family("store_unconfirmed", MetricKind::gauge,
                "Writes that the store has not confirmed.");
    text.sample("", store.unconfirmed);
    text.family("store_calls", MetricKind::counter,
                "Calls to the store, by outcome.");
    for (std::size_t call = 0; call < kStoreCalls; call++) {
        for (std::size_t n = 0; n < kStoreOutcomes; n++) {
            if (std::uint64_t count = store.calls[call][n]) {
                text.sample(
                    std::string("call=\"") + store_call_label(call)
                        + "\",outcome=\""
                        + store_outcome_label(static_cast<StoreOutcome>(n))
                        + "\"",
                    count);
            }
        }
    }
    text.family("store_wait_duration_seconds", MetricKind::histogram,
                "How long payments waited for the store, each time.");
    text.histogram(store.awaited);
}

}  // namespace

std::string status_metrics(const StatusReport &report, Exposition format)
{
    MetricsText text(format);
    LabelNames names = label_names(report);
    text.reserve(length_of_locations(names));
    text.family("build_info", MetricKind::gauge, "Which build runs; always 1.");
    text.sample(metric_label("version", report.version) + ","
                    + metric_label("nginx_version", report.server_version),
                1);
    text.family("start_time_seconds", MetricKind::gauge,
                "When the counters began, in unix time.");
    text.sample("", static_cast<std::uint64_t>(report.started));
    put_locations(text, report, names);
    put_revenue(text, report, names);
    put_facilitators(text, report);
    put_claims(text, report);
    put_books(text, report);
    put_store(text, report);
    return text.take();
}

}  // namespace x402
