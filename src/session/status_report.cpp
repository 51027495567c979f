// SPDX-License-Identifier: Apache-2.0
#include "session/status_report.hpp"

#include <unordered_map>

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

// Ledgers of hexadecimal addresses do not tell their letters apart, and
// configurations write them both ways.
std::string spelled_alike(std::string_view address)
{
    std::string out(address);
    if (out.compare(0, 2, "0x") == 0) {
        for (char &letter : out) {
            letter = letter >= 'A' && letter <= 'Z'
                         ? static_cast<char>(letter - 'A' + 'a')
                         : letter;
        }
    }
    return out;
}

// What two rows have in common that are the same money; `label`: of the same
// location.
std::string money_key(std::string_view network, std::string_view asset,
                      std::uint32_t label)
{
    std::string key(network);
    key += '\0';
    key += spelled_alike(asset);
    key += '\0';
    key += std::to_string(label);
    return key;
}

std::vector<RevenueLine> grouped(const StatusReport &report, bool by_label)
{
    std::vector<RevenueLine> lines;
    std::unordered_map<std::string, std::size_t> known;
    for (const auto &view : report.revenues) {
        auto [at, added] = known.emplace(
            money_key(view.network, view.asset, by_label ? view.label : 0),
            lines.size());
        if (added) {
            lines.push_back(line_of(view));
        }
        RevenueLine &line = lines[at->second];
        line.all.add(view.all);
        line.today.add(view.today);
        line.week.add(view.week);
    }
    return lines;
}

// Rows that differ in the spelling of an address alone are one: readers would
// be shown two series of one name.
std::vector<StatusCounters::RevenueView>
read_revenues(const StatusCounters &counters, std::int64_t day)
{
    std::vector<StatusCounters::RevenueView> views;
    std::unordered_map<std::string, std::size_t> known;
    for (std::uint32_t row = 1; row < StatusCounters::kRevenues; row++) {
        auto view = counters.revenue(row, day);
        if (view.network.empty()) {
            continue;
        }
        auto [at, added] =
            known.emplace(money_key(view.network, view.asset, view.label) + '\0'
                              + spelled_alike(view.pay_to),
                          views.size());
        if (added) {
            views.push_back(std::move(view));
            continue;
        }
        views[at->second].all.add(view.all);
        views[at->second].today.add(view.today);
        views[at->second].week.add(view.week);
    }
    return views;
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
    report.revenues = read_revenues(counters, day_of(now));
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
    report.webhook_lost = counters.lost_events();
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
