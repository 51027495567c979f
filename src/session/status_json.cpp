// SPDX-License-Identifier: Apache-2.0
// The report as JSON: the same figures as the page and the metrics.
#include "base/decimal_amount.hpp"
#include "base/hex_codec.hpp"
#include "base/json_text.hpp"
#include "policy/network_table.hpp"
#include "session/claim_table.hpp"
#include "session/status_report.hpp"

namespace x402 {

namespace {

// One JSON object or array, comma by comma.
class JsonText {
public:
    JsonText &open(char bracket)
    {
        comma();
        out_ += bracket;
        return *this;
    }
    JsonText &close(char bracket)
    {
        out_ += bracket;
        return *this;
    }
    JsonText &key(std::string_view name)
    {
        comma();
        append_json_string(out_, name);
        out_ += ':';
        return *this;
    }
    JsonText &text(std::string_view value)
    {
        comma();
        append_json_string(out_, value);
        return *this;
    }
    JsonText &raw(std::string_view value)
    {
        comma();
        out_ += value;
        return *this;
    }
    JsonText &number(std::uint64_t value) { return raw(std::to_string(value)); }
    std::string take() { return std::move(out_); }

private:
    void comma()
    {
        if (!out_.empty() && out_.back() != '{' && out_.back() != '['
            && out_.back() != ':') {
            out_ += ',';
        }
    }

    std::string out_;
};

void put_labels(JsonText &json, const StatusReport &report)
{
    constexpr const char *kNames[] = {
        "free",         "bypassed",     "pass",      "signed_in",
        "challenged",   "refused",      "verified",  "settled",
        "unknown",      "failed",       "presented", "valid",
        "delivered",    "redelivered",  "owed",      "would_challenge",
        "would_refuse", "would_charge",
    };
    static_assert(sizeof(kNames) / sizeof(kNames[0]) == kLabelCounters);
    json.key("locations").open('[');
    for (const auto &row : report.labels) {
        json.open('{');
        json.key("server").text(row.server);
        json.key("location").text(row.label);
        for (std::size_t n = 0; n < kLabelCounters; n++) {
            json.key(kNames[n]).number(row.counters[n]);
        }
        json.key("refusals").open('{');
        for (std::size_t n = 0; n < kRefusalLabels; n++) {
            if (row.refusals[n] != 0) {
                json.key(refusal_label_name(static_cast<RefusalLabel>(n)))
                    .number(row.refusals[n]);
            }
        }
        json.close('}').close('}');
    }
    json.close(']');
}

void put_sum(JsonText &json, const char *name, const RevenueSum &sum,
             const std::optional<unsigned> &decimals)
{
    json.key(name).open('{');
    json.key("payments").number(sum.payments);
    json.key("atomic").text(atomic_amount_text(sum.bytes()));
    if (decimals) {
        json.key("amount").text(amount_text(sum, decimals));
    }
    json.close('}');
}

void put_revenue(JsonText &json, const StatusReport &report)
{
    json.key("revenue").open('[');
    for (const auto &view : report.revenues) {
        const auto &label = report.labels[view.label < report.labels.size()
                                              ? view.label
                                              : StatusCounters::kOther];
        json.open('{');
        json.key("server").text(label.server);
        json.key("location").text(label.label);
        json.key("network").text(view.network);
        json.key("asset").text(view.asset);
        json.key("symbol").text(view.symbol);
        json.key("pay_to").text(view.pay_to);
        auto test = is_testnet(view.network);
        json.key("money").text(!test ? "unknown" : *test ? "test" : "real");
        put_sum(json, "today", view.today, view.decimals);
        put_sum(json, "week", view.week, view.decimals);
        put_sum(json, "all", view.all, view.decimals);
        json.close('}');
    }
    json.close(']');
}

void put_duration(JsonText &json, const DurationCounts &counts)
{
    json.open('{');
    json.key("count").number(counts.count());
    json.key("sum_ms").number(counts.sum);
    json.key("buckets_ms").open('{');
    for (std::size_t i = 0; i < counts.buckets.size(); i++) {
        json.key(i < DurationCounts::kBounds
                     ? std::to_string(DurationCounts::bounds()[i])
                     : "more")
            .number(counts.buckets[i]);
    }
    json.close('}').close('}');
}

void put_facilitators(JsonText &json, const StatusReport &report)
{
    json.key("facilitators").open('[');
    for (const auto &row : report.facilitators) {
        const auto &counts = row.counts;
        json.open('{');
        json.key("url").text(counts.name);
        json.key("up").raw(!counts.answered   ? "null"
                           : *counts.answered ? "true"
                                              : "false");
        json.key("breaker_open").raw(counts.breaker_open ? "true" : "false");
        json.key("supports").open('[');
        for (const std::string &kind : row.supports) {
            json.text(kind);
        }
        json.close(']').key("settlements").open('{');
        for (std::size_t n = 0; n < kSettlementOutcomes; n++) {
            json.key(outcome_label(static_cast<SettlementOutcome>(n)))
                .number(counts.outcomes[n]);
        }
        json.close('}').key("calls").open('{');
        for (std::size_t e = 0; e < kCallEndpoints; e++) {
            json.key(endpoint_label(static_cast<CallEndpoint>(e))).open('{');
            json.key("codes").open('{');
            for (std::size_t code = 0; code < kCallCodes; code++) {
                if (counts.calls[e][code] != 0) {
                    json.key(call_code_label(code))
                        .number(counts.calls[e][code]);
                }
            }
            json.close('}').key("duration");
            put_duration(json, counts.durations[e]);
            json.close('}');
        }
        json.close('}').close('}');
    }
    json.close(']');
}

void put_claims(JsonText &json, const StatusReport &report)
{
    if (!report.claims) {
        json.key("zone").raw("null");
        return;
    }
    const ClaimCensus &claims = *report.claims;
    json.key("zone").open('{');
    json.key("counted").number(static_cast<std::uint64_t>(claims.taken));
    json.key("capacity").number(claims.capacity);
    json.key("in_flight").number(claims.in_flight);
    json.key("owed").number(claims.owed);
    json.key("states").open('{');
    for (std::size_t n = 0; n < kCensusStates; n++) {
        json.key(claim_state_name(static_cast<ClaimState>(n)))
            .number(claims.states[n]);
    }
    json.close('}').key("open").open('[');
    for (std::uint32_t i = 0; i < claims.listed; i++) {
        const OpenPayment &payment = claims.open[i];
        json.open('{');
        json.key("payment").text(
            hex_encode(payment.key.data(), payment.key.size()));
        json.key("state").text(
            payment.state == static_cast<std::uint32_t>(ClaimState::unknown)
                ? "unknown"
                : "owed");
        json.key("since").number(static_cast<std::uint64_t>(payment.since));
        json.key("network").text(payment.network);
        json.key("asset").text(payment.asset);
        json.key("atomic").text(atomic_amount_text(payment.amount));
        json.key("amount").text(amount_text(payment));
        json.close('}');
    }
    json.close(']').close('}');
}

void put_store(JsonText &json, const StatusReport &report)
{
    json.key("store");
    if (!report.store) {
        json.raw("null");
        return;
    }
    const StoreCounts &store = *report.store;
    json.open('{');
    json.key("connected").number(store.connected);
    json.key("away").number(store.away);
    json.key("unconfirmed").number(store.unconfirmed);
    json.key("calls").open('{');
    for (std::size_t call = 0; call < kStoreCalls; call++) {
        json.key(store_call_label(call)).open('{');
        for (std::size_t n = 0; n < kStoreOutcomes; n++) {
            json.key(store_outcome_label(static_cast<StoreOutcome>(n)))
                .number(store.calls[call][n]);
        }
        json.close('}');
    }
    json.close('}').key("wait").open('{');
    json.key("count").number(store.awaited.count());
    json.key("sum_us").number(store.awaited.sum);
    json.key("buckets_us").open('{');
    for (std::size_t i = 0; i < store.awaited.buckets.size(); i++) {
        json.key(i < StoreDurations::kBounds
                     ? std::to_string(StoreDurations::bounds()[i])
                     : "more")
            .number(store.awaited.buckets[i]);
    }
    json.close('}').close('}').close('}');
}

}  // namespace

std::string status_json(const StatusReport &report)
{
    JsonText json;
    json.open('{');
    json.key("version").text(report.version);
    json.key("nginx").text(report.server_version);
    json.key("now").number(static_cast<std::uint64_t>(report.now));
    json.key("started").number(static_cast<std::uint64_t>(report.started));
    put_labels(json, report);
    put_revenue(json, report);
    put_facilitators(json, report);
    json.key("hold");
    put_duration(json, report.hold);
    put_claims(json, report);
    if (report.journal) {
        json.key("journal").open('{');
        json.key("path").text(report.journal->path);
        json.key("bytes").number(report.journal->bytes);
        json.key("writable").raw(report.journal->writable ? "true" : "false");
        json.close('}');
    } else {
        json.key("journal").raw("null");
    }
    json.key("webhook_waiting");
    if (report.webhook_waiting) {
        json.number(*report.webhook_waiting);
    } else {
        json.raw("null");
    }
    json.key("webhook_lost").number(report.webhook_lost);
    put_store(json, report);
    json.key("ledger").open('{');
    json.key("written").number(report.ledger_written);
    json.key("lost").number(report.ledger_lost);
    json.close('}').close('}');
    return json.take() + "\n";
}

}  // namespace x402
