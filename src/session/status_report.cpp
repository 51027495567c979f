// SPDX-License-Identifier: Apache-2.0
#include "session/status_report.hpp"

#include "base/decimal_amount.hpp"
#include "policy/asset_table.hpp"
#include "policy/network_table.hpp"

namespace x402 {

namespace {

RevenueLine line_of(const StatusCounters::RevenueView &view)
{
    RevenueLine line;
    line.network = view.network;
    line.asset = view.asset;
    line.symbol = view.symbol.empty() ? view.asset : view.symbol;
    line.decimals = view.decimals;
    line.test = is_testnet(view.network);
    line.label = view.label;
    return line;
}

std::vector<RevenueLine> grouped(const StatusReport &report, bool by_label)
{
    std::vector<RevenueLine> lines;
    for (const auto &view : report.revenues) {
        RevenueLine *found = nullptr;
        for (RevenueLine &line : lines) {
            if (line.network == view.network && line.asset == view.asset
                && (!by_label || line.label == view.label)) {
                found = &line;
                break;
            }
        }
        if (found == nullptr) {
            lines.push_back(line_of(view));
            found = &lines.back();
        }
        found->all.add(view.all);
        found->today.add(view.today);
        found->week.add(view.week);
    }
    return lines;
}

}  // namespace

StatusReport read_status(const StatusCounters &counters, std::int64_t now)
{
    StatusReport report;
    report.now = now;
    report.started = counters.started();
    std::uint32_t labels = counters.labels();
    report.labels.reserve(labels);
    for (std::uint32_t row = 0; row < labels; row++) {
        report.labels.push_back(counters.label(row));
    }
    std::uint32_t facilitators = counters.facilitators();
    for (std::uint32_t row = 0; row < facilitators; row++) {
        report.facilitators.push_back({counters.facilitator(row), {}});
    }
    for (std::uint32_t row = 1; row < StatusCounters::kRevenues; row++) {
        auto view = counters.revenue(row, day_of(now));
        if (!view.network.empty()) {
            report.revenues.push_back(std::move(view));
        }
    }
    report.hold = counters.hold();
    report.claims = counters.census();
    if (report.claims && report.claims->has_journal) {
        report.journal = StatusReport::Journal{
            {}, report.claims->journal_bytes, report.claims->journal_writable};
    }
    StoreCounts store = counters.store_counts();
    if (store.any()) {
        report.store = store;
    }
    report.ledger_written = counters.ledger_lines(true);
    report.ledger_lost = counters.ledger_lines(false);
    return report;
}

std::vector<RevenueLine> revenue_by_asset(const StatusReport &report)
{
    return grouped(report, false);
}

std::vector<RevenueLine> revenue_by_label(const StatusReport &report)
{
    return grouped(report, true);
}

std::string amount_text(const RevenueSum &sum,
                        const std::optional<unsigned> &decimals)
{
    std::string atomic = atomic_amount_text(sum.bytes());
    return decimals ? to_decimal(atomic, *decimals) : atomic;
}

std::string amount_text(const OpenPayment &payment)
{
    std::string atomic = atomic_amount_text(payment.amount);
    const Asset *asset = find_asset_by_address(payment.network, payment.asset);
    if (asset == nullptr) {
        return atomic + " units";
    }
    return to_decimal(atomic, asset->decimals) + " "
           + std::string(asset->symbol);
}

}  // namespace x402
