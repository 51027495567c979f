// SPDX-License-Identifier: Apache-2.0
// The report as Prometheus reads it. Every family is written whole, with HELP
// and TYPE; a series that may stay 0 (a reason, a code) once it is not.
#include "base/decimal_amount.hpp"
#include "base/json_text.hpp"
#include "session/claim_table.hpp"
#include "session/status_report.hpp"

namespace x402 {

namespace {

enum class Kind { counter, gauge, histogram };

class MetricsText {
public:
    explicit MetricsText(Exposition format) : format_(format) {}

    // Counters are named without `_total`, which belongs to their samples.
    void family(const char *name, Kind kind, const char *help)
    {
        name_ = std::string("nginx_x402_") + name;
        std::string shown = name_;
        if (kind == Kind::counter) {
            name_ += "_total";
            shown = format_ == Exposition::openmetrics ? shown : name_;
        }
        constexpr const char *kTypes[] = {"counter", "gauge", "histogram"};
        out_ += "# HELP " + shown + " " + help + "\n# TYPE " + shown + " "
                + kTypes[static_cast<int>(kind)] + "\n";
    }

    // `labels` as labels() makes them, or empty.
    void sample(std::string_view labels, std::string_view value,
                const char *suffix = "")
    {
        out_ += name_;
        out_ += suffix;
        if (!labels.empty()) {
            out_ += '{';
            out_ += labels;
            out_ += '}';
        }
        out_ += ' ';
        out_ += value;
        out_ += '\n';
    }
    void sample(std::string_view labels, std::uint64_t value)
    {
        sample(labels, std::to_string(value));
    }

    void histogram(const std::string &labels, const DurationCounts &counts)
    {
        const auto &bounds = DurationCounts::bounds();
        std::string lead = labels.empty() ? "le=\"" : labels + ",le=\"";
        std::uint64_t so_far = 0;
        for (std::size_t i = 0; i < counts.buckets.size(); i++) {
            so_far += counts.buckets[i];
            std::string le = i < bounds.size() ? seconds(bounds[i]) : "+Inf";
            sample(lead + le + '"', std::to_string(so_far), "_bucket");
        }
        sample(labels, seconds(counts.sum), "_sum");
        sample(labels, std::to_string(so_far), "_count");
    }

    std::string take()
    {
        if (format_ == Exposition::openmetrics) {
            out_ += "# EOF\n";
        }
        return std::move(out_);
    }

    // OpenMetrics wants numbers of `le` with a point.
    std::string seconds(std::uint64_t ms) const
    {
        std::string text = to_decimal(std::to_string(ms), 3);
        bool whole = text.find('.') == std::string::npos;
        return whole && format_ == Exposition::openmetrics ? text + ".0" : text;
    }

private:
    Exposition format_;
    std::string name_;
    std::string out_;
};

// name="value", the value as the format escapes it. Names come from an
// operator; bytes that are not UTF-8 are replaced.
std::string label(const char *name, std::string_view value)
{
    std::string json;
    append_json_string(json, value);
    // JSON escapes \ and " the same way; other escapes are not known there.
    std::string out = std::string(name) + "=";
    for (std::size_t i = 0; i < json.size(); i++) {
        if (json[i] != '\\') {
            out += json[i];
        } else if (char next = json[++i]; next == '"' || next == '\\') {
            out += {'\\', next};
        } else if (next == 'n') {
            out += "\\n";
        } else {
            out += ' ';
            i += next == 'u' ? 4 : 0;
        }
    }
    return out;
}

using LabelNames = std::vector<std::string>;
LabelNames label_names(const StatusReport &report)
{
    LabelNames names;
    names.reserve(report.labels.size());
    for (const auto &row : report.labels) {
        names.push_back(label("server", row.server) + ","
                        + label("location", row.label));
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
    const char *labels;
};

constexpr Named kStates[] = {
    {LabelCounter::free, ",state=\"free\""},
    {LabelCounter::bypassed, ",state=\"bypassed\""},
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
                text.sample(names[row] + named.labels, count);
            }
        }
    }
}

void put_locations(MetricsText &text, const StatusReport &report,
                   const LabelNames &names)
{
    text.family("requests", Kind::counter,
                "Requests to paid locations, by what became of them.");
    put_counters(text, report, names, kStates);
    text.family("shadow", Kind::counter, "What would have happened.");
    put_counters(text, report, names, kShadow, false);
    text.family("payments_seen", Kind::counter,
                "Payments on their way: presented, then verified.");
    put_counters(text, report, names, kSteps);
    text.family("deliveries", Kind::counter,
                "Paid content: delivered, delivered again, owed.");
    put_counters(text, report, names, kDeliveries);
    text.family("refusals", Kind::counter,
                "Payments that were not served, by reason.");
    for (std::size_t row = 0; row < report.labels.size(); row++) {
        for (std::size_t n = 0; n < kRefusalLabels; n++) {
            if (std::uint64_t count = report.labels[row].refusals[n]) {
                text.sample(
                    names[row] + ",reason=\""
                        + refusal_label_name(static_cast<RefusalLabel>(n))
                        + "\"",
                    count);
            }
        }
    }
}

std::string revenue_labels(const LabelNames &names, const std::string &network,
                           std::string_view asset, std::uint32_t row)
{
    return label("network", network) + "," + label("asset", asset) + ","
           + names[row < names.size() ? row : StatusCounters::kOther];
}

void put_revenue(MetricsText &text, const StatusReport &report,
                 const LabelNames &names)
{
    text.family("revenue_atomic", Kind::counter,
                "Settled, in the smallest unit of the asset.");
    for (const auto &view : report.revenues) {
        text.sample(
            revenue_labels(names, view.network,
                           view.symbol.empty() ? view.asset : view.symbol,
                           view.label)
                + "," + label("pay_to", view.pay_to),
            atomic_amount_text(view.all.bytes()));
    }
    text.family("revenue", Kind::counter,
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
        names.push_back(label("facilitator", row.counts.name));
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
    text.family("facilitator_requests", Kind::counter,
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
    text.family("facilitator_request_duration_seconds", Kind::histogram,
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
    text.family("settlements", Kind::counter,
                "Settlements that ended, by what they came to.");
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
    text.family("facilitator_up", Kind::gauge,
                "Whether the last call to a facilitator was answered.");
    for (std::size_t row = 1; row < names.size(); row++) {
        const auto &answered = report.facilitators[row].counts.answered;
        if (answered) {
            text.sample(names[row], *answered ? 1 : 0);
        }
    }
    text.family("breaker_open", Kind::gauge,
                "Whether a worker does without a facilitator that failed.");
    for (std::size_t row = 1; row < names.size(); row++) {
        text.sample(names[row],
                    report.facilitators[row].counts.breaker_open ? 1 : 0);
    }
    text.family("hold_duration_seconds", Kind::histogram,
                "How long responses were held back for their settlement.");
    text.histogram("", report.hold);
}

void put_claims(MetricsText &text, const StatusReport &report)
{
    const ClaimCensus claims = report.claims.value_or(ClaimCensus());
    auto in_state = [&claims](ClaimState state) {
        return claims.states[static_cast<std::size_t>(state)];
    };
    text.family("payments", Kind::gauge,
                "Payments in flight, of unknown outcome, and owed.");
    text.sample("state=\"inflight\"", claims.in_flight);
    text.sample("state=\"unknown\"", in_state(ClaimState::unknown));
    text.sample("state=\"owed\"", claims.owed);
    text.family("oldest_unknown_seconds", Kind::gauge,
                "Age of the oldest payment of unknown outcome; 0: none.");
    text.sample(
        "", claims.oldest_unknown != 0 && report.now > claims.oldest_unknown
                ? static_cast<std::uint64_t>(report.now - claims.oldest_unknown)
                : 0);
    text.family("zone_claims", Kind::gauge,
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
        text.family("journal_bytes", Kind::gauge, "Size of the journal.");
        text.sample("", report.journal->bytes);
        text.family("journal_writable", Kind::gauge,
                    "Whether the last write to the journal succeeded.");
        text.sample("", report.journal->writable ? 1 : 0);
    }
    if (report.webhook_waiting) {
        text.family("webhook_waiting_events", Kind::gauge, "Still to be sent.");
        text.sample("", *report.webhook_waiting);
    }
    text.family("ledger_lines", Kind::counter,
                "Lines for the ledger, written and lost.");
    text.sample("outcome=\"written\"", report.ledger_written);
    text.sample("outcome=\"lost\"", report.ledger_lost);
}

}  // namespace

std::string status_metrics(const StatusReport &report, Exposition format)
{
    MetricsText text(format);
    LabelNames names = label_names(report);
    text.family("build_info", Kind::gauge, "Which build runs; always 1.");
    text.sample(label("version", report.version) + ","
                    + label("nginx_version", report.server_version),
                1);
    text.family("start_time_seconds", Kind::gauge,
                "When the counters began, in unix time.");
    text.sample("", static_cast<std::uint64_t>(report.started));
    put_locations(text, report, names);
    put_revenue(text, report, names);
    put_facilitators(text, report);
    put_claims(text, report);
    put_books(text, report);
    return text.take();
}

}  // namespace x402
