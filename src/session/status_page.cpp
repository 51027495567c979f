// SPDX-License-Identifier: Apache-2.0
// The report as a page: one document, nothing to load, no script, light and
// dark as the reader has it, from a phone to a wall. It renews itself. Its
// styles make the file longer than others.
#include <algorithm>
#include <array>

#include "base/decimal_amount.hpp"
#include "base/hex_codec.hpp"
#include "policy/network_table.hpp"
#include "policy/network_title.hpp"
#include "protocol/html_page.hpp"
#include "session/claim_table.hpp"
#include "session/status_report.hpp"

namespace x402 {

namespace {

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><meta http-equiv="refresh" content="10">
<title>x402 status</title><style>
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--line:#e3e6ea;--text:#1c2126;--soft:#66707b;--bar:#3b6fe0;--good:#18794e;--warn:#ad5700;--bad:#c62a2f}
@media(prefers-color-scheme:dark){:root{--bg:#111417;--card:#1a1e23;--line:#2c3239;--text:#e7eaed;--soft:#98a2ad;--bar:#6c97f5;--good:#4cc38a;--warn:#f1a10d;--bad:#ff6369}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1180px;margin:0 auto;padding:24px 20px 48px}
header{display:flex;flex-wrap:wrap;gap:4px 16px;align-items:baseline;margin-bottom:20px}
h1{font-size:22px;margin:0}h2{font-size:15px;margin:0 0 12px;overflow-wrap:anywhere}
.soft{color:var(--soft)}.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}
.grid{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(min(100%,310px),1fr))}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px 18px;margin-bottom:16px;min-width:0}
.grid section{margin:0}.grid{margin-bottom:16px}
.sum{font-size:28px;font-weight:650;line-height:1.2;overflow-wrap:anywhere}.sum small{font-size:15px;font-weight:500}
dl{display:grid;grid-template-columns:auto 1fr;gap:2px 14px;margin:8px 0 0}dt{color:var(--soft)}dd{margin:0;text-align:right;overflow-wrap:anywhere}
.tag{display:inline-block;border:1px solid;border-radius:99px;padding:0 8px;font-size:12px}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px}
th{font-weight:500;color:var(--soft);text-align:right;white-space:nowrap}td{text-align:right}
th,td{padding:5px 10px 5px 0;border-bottom:1px solid var(--line)}tr:last-child td{border-bottom:0}
th:first-child,td:first-child{text-align:left;overflow-wrap:anywhere;min-width:120px}td.text,th.text{text-align:left}
p{overflow-wrap:anywhere}code{font:13px ui-monospace,Consolas,monospace}
.step{display:grid;grid-template-columns:90px 1fr 90px;gap:10px;align-items:center;margin:5px 0}.step b{text-align:right;font-weight:550}
.bar{height:14px;background:var(--line);border-radius:4px;overflow:hidden}.bar i{display:block;height:100%;background:var(--bar);border-radius:4px;min-width:1px}
.whole{display:inline-block}
@media(max-width:520px){main{padding:16px 12px 32px}.step{grid-template-columns:80px 1fr 70px}
.rows tr{display:grid;grid-template-columns:1fr 1fr;gap:2px 16px;padding:9px 0;border-bottom:1px solid var(--line)}.rows tr:first-child{display:none}.rows tr:last-child{border:0;padding-bottom:0}
.rows td,.rows td.text{display:flex;justify-content:space-between;gap:10px;padding:0;border:0;text-align:right;min-width:0;overflow-wrap:anywhere}.rows td:first-child{display:block;grid-column:1/-1;text-align:left}.rows td:nth-child(2){grid-column:1/-1}
.rows td:empty{display:none}.rows td::before{color:var(--soft);flex:none}.open tr{grid-template-columns:1fr}
.open td:nth-child(2)::before{content:"State"}.open td:nth-child(3)::before{content:"Network"}.open td:nth-child(4)::before{content:"Amount"}.open td:nth-child(5)::before{content:"Age"}
.places td:nth-child(2)::before{content:"Revenue"}.places td:nth-child(3)::before{content:"Challenged"}.places td:nth-child(4)::before{content:"Settled"}.places td:nth-child(5)::before{content:"Refused"}.places td:nth-child(6)::before{content:"Failed"}.places td:nth-child(7)::before{content:"Unknown"}.places td:nth-child(8)::before{content:"Owed"}.places td:nth-child(9)::before{content:"Free"}
.places td:nth-child(n+10){grid-column:1/-1}.places td:nth-child(10)::before{content:"Would charge"}.places td:nth-child(11)::before{content:"Would refuse"}.places td:nth-child(12)::before{content:"Would challenge"}}
@media(min-width:1800px){main{max-width:1500px}body{font-size:17px}}
</style></head><body><main>
)";

// A line breaks before a figure and not inside of it: blanks that do not break.
constexpr const char *kAtMost = "\xe2\x89\xa4\xc2\xa0";
constexpr const char *kMs = "\xc2\xa0ms";
constexpr const char *kHalf = " \xc2\xb7 p50\xc2\xa0";
constexpr const char *kSlowest = " \xc2\xb7 p99\xc2\xa0";

// Texts go in escaped, markup as it stands.
class PageText {
public:
    PageText &raw(std::string_view html)
    {
        out_ += html;
        return *this;
    }
    PageText &text(std::string_view words)
    {
        append_html(out_, words);
        return *this;
    }
    PageText &number(std::uint64_t value)
    {
        std::string digits = std::to_string(value);
        for (std::size_t i = 0; i < digits.size(); i++) {
            if (i != 0 && (digits.size() - i) % 3 == 0) {
                out_ += "\xe2\x80\x89";  // thin space
            }
            out_ += digits[i];
        }
        return *this;
    }
    std::string take() { return std::move(out_); }

private:
    std::string out_;
};

std::string age(std::int64_t seconds)
{
    seconds = std::max<std::int64_t>(seconds, 0);
    if (seconds < 120) {
        return std::to_string(seconds) + " s";
    }
    if (seconds < 7200) {
        return std::to_string(seconds / 60) + " min";
    }
    if (seconds < 172800) {
        return std::to_string(seconds / 3600) + " h";
    }
    return std::to_string(seconds / 86400) + " days";
}

std::uint64_t all_of(const StatusReport &report, LabelCounter counter)
{
    std::uint64_t sum = 0;
    for (const auto &row : report.labels) {
        sum += row.counters[static_cast<std::size_t>(counter)];
    }
    return sum;
}

std::string unit_of(const RevenueLine &line)
{
    return line.decimals ? line.symbol : "units of " + line.symbol;
}

void put_header(PageText &page, const StatusReport &report)
{
    page.raw("<header><h1>x402</h1><span class=soft>version ")
        .text(report.version)
        .raw(" on nginx ")
        .text(report.server_version)
        .raw(" \xc2\xb7 counting for ")
        .text(age(report.now - report.started))
        .raw("</span></header>\n");
}

void put_revenue_cards(PageText &page, const StatusReport &report)
{
    auto lines = revenue_by_asset(report);
    // Real money first, then money of unknown kind, then test money.
    auto rank = [](const RevenueLine &line) {
        return !line.test ? 1 : *line.test ? 2 : 0;
    };
    std::stable_sort(lines.begin(), lines.end(),
                     [&](const RevenueLine &a, const RevenueLine &b) {
                         return rank(a) < rank(b);
                     });
    page.raw("<div class=grid>");
    if (lines.empty()) {
        page.raw("<section><h2>Revenue</h2><div class=soft>Nothing has been "
                 "settled yet.</div></section>");
    }
    for (const RevenueLine &line : lines) {
        std::string title = network_title(line.network);
        page.raw("<section><h2>")
            .text(line.symbol)
            .raw(" on <span class=whole>");
        page.text(title).raw("</span>");
        if (title != line.network) {
            page.raw(" <span class=\"soft whole\">")
                .text(line.network)
                .raw("</span>");
        }
        if (line.test.value_or(false)) {
            page.raw(" <span class=\"tag warn\">test money</span>");
        } else if (!line.test) {
            page.raw(" <span class=\"tag soft\">unknown network</span>");
        }
        page.raw("</h2><div class=sum>")
            .text(amount_text(line.today, line.decimals))
            .raw(" <small>")
            .text(unit_of(line))
            .raw(" today</small></div><dl><dt>7 days</dt><dd>")
            .text(amount_text(line.week, line.decimals))
            .raw("</dd><dt>All</dt><dd>")
            .text(amount_text(line.all, line.decimals))
            .raw("</dd><dt>Payments</dt><dd>")
            .number(line.all.payments)
            .raw("</dd></dl></section>");
    }
    page.raw("</div>\n");
}

void put_funnel(PageText &page, const StatusReport &report)
{
    struct StepRow {
        const char *name;
        std::uint64_t count;
    };
    const StepRow rows[] = {
        {"Challenged", all_of(report, LabelCounter::challenged)},
        {"Presented", all_of(report, LabelCounter::presented)},
        {"Verified", all_of(report, LabelCounter::valid)},
        {"Settled", all_of(report, LabelCounter::settled)},
        {"Delivered", all_of(report, LabelCounter::delivered)},
    };
    std::uint64_t most = 1;
    for (const StepRow &row : rows) {
        most = std::max(most, row.count);
    }
    page.raw("<section><h2>From challenge to delivery</h2>");
    for (const StepRow &row : rows) {
        page.raw("<div class=step><span>")
            .text(row.name)
            .raw("</span><span class=bar><i style=\"width:")
            .text(std::to_string(row.count * 100 / most))
            .raw("%\"></i></span><b>")
            .number(row.count)
            .raw("</b></div>");
    }
    page.raw("</section>");
}

void put_zone(PageText &page, const StatusReport &report)
{
    page.raw("<section><h2>Zone and journal</h2><dl>");
    if (report.claims) {
        const ClaimCensus &claims = *report.claims;
        std::uint64_t used =
            claims.capacity
            - claims.states[static_cast<std::size_t>(ClaimState::free)];
        page.raw("<dt>Claims</dt><dd>")
            .number(used)
            .raw(" of ")
            .number(claims.capacity)
            .raw("</dd><dt>In flight</dt><dd>")
            .number(claims.in_flight)
            .raw("</dd>");
    } else {
        page.raw("<dt>Claims</dt><dd>not counted yet</dd>");
    }
    if (report.journal) {
        page.raw("<dt>Journal</dt><dd>")
            .number(report.journal->bytes / 1024)
            .raw(" KB, ")
            .raw(report.journal->writable
                     ? "<span class=good>writable</span>"
                     : "<span class=bad>cannot be written</span>")
            .raw("</dd>");
    } else {
        page.raw("<dt>Journal</dt><dd class=warn>none</dd>");
    }
    page.raw("<dt>Ledger</dt><dd>").number(report.ledger_written);
    page.raw(" lines");
    if (report.ledger_lost != 0) {
        page.raw(", <span class=bad>")
            .number(report.ledger_lost)
            .raw(" lost</span>");
    }
    if (report.webhook_waiting) {
        page.raw("</dd><dt>Webhook</dt><dd>")
            .number(*report.webhook_waiting)
            .raw(" events wait");
        if (report.webhook_lost != 0) {
            page.raw(", <span class=bad>")
                .number(report.webhook_lost)
                .raw(" lost</span>");
        }
    }
    page.raw("</dd></dl></section>");
}

std::string store_quantile(const StoreDurations &waits, std::uint64_t percent)
{
    std::uint64_t all = waits.count();
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < StoreDurations::kBounds; i++) {
        so_far += waits.buckets[i];
        if (so_far * 100 >= all * percent) {
            return kAtMost
                   + to_decimal(std::to_string(StoreDurations::bounds()[i]), 3)
                   + kMs;
        }
    }
    return "> 5 s";
}

void put_store(PageText &page, const StatusReport &report)
{
    if (!report.store) {
        return;
    }
    const StoreCounts &store = *report.store;
    std::array<std::uint64_t, kStoreOutcomes> outcomes{};
    for (const auto &call : store.calls) {
        for (std::size_t n = 0; n < kStoreOutcomes; n++) {
            outcomes[n] += call[n];
        }
    }
    page.raw("<section><h2>Store ")
        .raw(store.away == 0 ? "<span class=\"tag good\">connected</span>"
                             : "<span class=\"tag bad\">away</span>")
        .raw("</h2><dl><dt>Workers connected</dt><dd>")
        .number(store.connected)
        .raw(" of ")
        .number(store.connected + store.away);
    if (store.awaited.count() != 0) {
        page.raw("</dd><dt>Waits</dt><dd>")
            .number(store.awaited.count())
            .raw(kHalf)
            .text(store_quantile(store.awaited, 50))
            .raw(kSlowest)
            .text(store_quantile(store.awaited, 99));
    }
    for (std::size_t n = 0; n < kStoreOutcomes; n++) {
        page.raw("</dd><dt>Calls ")
            .raw(store_outcome_label(static_cast<StoreOutcome>(n)))
            .raw("</dt><dd>")
            .number(outcomes[n]);
    }
    page.raw("</dd><dt>Not confirmed</dt><dd")
        .raw(store.unconfirmed == 0 ? ">" : " class=warn>")
        .number(store.unconfirmed)
        .raw("</dd></dl></section>");
}

void put_open(PageText &page, const StatusReport &report)
{
    if (!report.claims || report.claims->listed == 0) {
        page.raw("<section><h2>Unknown and owed</h2><span class=good>No "
                 "payment waits for an outcome, and nothing is "
                 "owed.</span></section>\n");
        return;
    }
    const ClaimCensus &claims = *report.claims;
    std::vector<OpenPayment> open(claims.open.begin(),
                                  claims.open.begin() + claims.listed);
    std::sort(open.begin(), open.end(),
              [](const OpenPayment &a, const OpenPayment &b) {
                  return a.since < b.since;
              });
    page.raw("<section><h2>Unknown and owed <span class=soft>")
        .number(claims.states[static_cast<std::size_t>(ClaimState::unknown)])
        .raw("\xc2\xa0unknown, ")
        .number(claims.owed)
        .raw("\xc2\xa0owed</span></h2><div class=scroll><table class=\"rows "
             "open\"><tr><th>Payment<th class=text>State<th "
             "class=text>Network<th>Amount<th>Age</tr>");
    for (const OpenPayment &payment : open) {
        bool unknown =
            payment.state == static_cast<std::uint32_t>(ClaimState::unknown);
        page.raw("<tr><td><code>")
            .text(hex_encode(payment.key.data(), 8))
            .raw("\xe2\x80\xa6</code><td class=\"text ")
            .raw(unknown ? "warn\">unknown" : "bad\">owed")
            .raw("<td class=text>")
            .text(payment.network)
            .raw("<td>")
            .text(amount_text(payment))
            .raw("<td>")
            .text(age(report.now - payment.since))
            .raw("</tr>");
    }
    page.raw("</table></div></section>\n");
}

// The bound of the bucket that this share of the calls is in.
std::string quantile(const DurationCounts &counts, std::uint64_t percent)
{
    std::uint64_t all = counts.count();
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < DurationCounts::kBounds; i++) {
        so_far += counts.buckets[i];
        if (so_far * 100 >= all * percent) {
            return kAtMost + std::to_string(DurationCounts::bounds()[i]) + kMs;
        }
    }
    return "> 60 s";
}

void put_facilitator(PageText &page, const StatusReport::Facilitator &row)
{
    const auto &counts = row.counts;
    page.raw("<section><h2>").text(counts.name).raw(" ");
    if (counts.breaker_open) {
        page.raw("<span class=\"tag bad\">failing</span>");
    } else if (!counts.answered) {
        page.raw("<span class=\"tag soft\">not asked yet</span>");
    } else if (*counts.answered) {
        page.raw("<span class=\"tag good\">answers</span>");
    } else {
        page.raw("<span class=\"tag bad\">does not answer</span>");
    }
    page.raw("</h2><dl>");
    for (std::size_t e = 0; e < 2; e++) {
        const DurationCounts &took = counts.durations[e];
        if (took.count() == 0) {
            continue;
        }
        page.raw("<dt>")
            .raw(endpoint_label(static_cast<CallEndpoint>(e)))
            .raw("</dt><dd>")
            .number(took.count())
            .raw(kHalf)
            .text(quantile(took, 50))
            .raw(kSlowest)
            .text(quantile(took, 99))
            .raw("</dd>");
    }
    for (std::size_t n = 0; n < kSettlementOutcomes; n++) {
        if (counts.outcomes[n] != 0) {
            page.raw("<dt>")
                .raw(outcome_label(static_cast<SettlementOutcome>(n)))
                .raw("</dt><dd>")
                .number(counts.outcomes[n])
                .raw("</dd>");
        }
    }
    page.raw("</dl>");
    if (!row.supports.empty()) {
        page.raw("<p class=soft>Supports ");
        constexpr std::size_t kShown = 12;
        for (std::size_t i = 0; i < row.supports.size() && i < kShown; i++) {
            page.raw(i == 0 ? "" : ", ").text(row.supports[i]);
        }
        if (row.supports.size() > kShown) {
            page.raw(" and ").number(row.supports.size() - kShown).raw(" more");
        }
        page.raw("</p>");
    }
    page.raw("</section>");
}

void put_facilitators(PageText &page, const StatusReport &report)
{
    page.raw("<div class=grid>");
    for (std::size_t row = 1; row < report.facilitators.size(); row++) {
        put_facilitator(page, report.facilitators[row]);
    }
    page.raw("</div>\n");
}

// What a location took in, asset by asset, in one line.
std::string revenue_of(const std::vector<RevenueLine> &lines,
                       std::uint32_t label)
{
    std::string out;
    for (const RevenueLine &line : lines) {
        if (line.label == label) {
            out += (out.empty() ? "" : ", ")
                   + amount_text(line.all, line.decimals) + " " + unit_of(line)
                   + (line.test.value_or(false) ? " (test)" : "");
        }
    }
    return out;
}

void put_locations(PageText &page, const StatusReport &report)
{
    constexpr LabelCounter kColumns[] = {
        LabelCounter::challenged, LabelCounter::settled, LabelCounter::refused,
        LabelCounter::failed,     LabelCounter::unknown, LabelCounter::owed,
        LabelCounter::free,
    };
    bool shadow = all_of(report, LabelCounter::would_charge)
                  + all_of(report, LabelCounter::would_challenge)
                  + all_of(report, LabelCounter::would_refuse);
    auto lines = revenue_by_label(report);
    page.raw("<section><h2>Locations</h2><div class=scroll><table "
             "class=\"rows "
             "places\"><tr><th>Location<th>Revenue<th>Challenged<th>Settled<th>"
             "Refused<th>"
             "Failed<th>Unknown<th>Owed<th>Free");
    page.raw(shadow ? "<th>Would charge<th>Would refuse<th>Would challenge"
                    : "");
    for (std::uint32_t row = 0; row < report.labels.size(); row++) {
        const auto &view = report.labels[row];
        std::uint64_t all = 0;
        for (std::uint64_t count : view.counters) {
            all += count;
        }
        if (row == StatusCounters::kOther && all == 0) {
            continue;
        }
        page.raw("<tr><td>").text(view.label);
        if (!view.server.empty()) {
            page.raw(" <span class=soft>").text(view.server).raw("</span>");
        }
        page.raw("<td>").text(revenue_of(lines, row));
        for (LabelCounter column : kColumns) {
            page.raw("<td>").number(
                view.counters[static_cast<std::size_t>(column)]);
        }
        for (LabelCounter column :
             {LabelCounter::would_charge, LabelCounter::would_refuse,
              LabelCounter::would_challenge}) {
            if (shadow) {
                page.raw("<td>").number(
                    view.counters[static_cast<std::size_t>(column)]);
            }
        }
        page.raw("</tr>");
    }
    page.raw("</table></div></section>\n");
}

}  // namespace

std::string status_page(const StatusReport &report)
{
    PageText page;
    page.raw(kHead);
    put_header(page, report);
    put_revenue_cards(page, report);
    page.raw("<div class=grid>");
    put_funnel(page, report);
    put_zone(page, report);
    put_store(page, report);
    page.raw("</div>\n");
    put_open(page, report);
    put_facilitators(page, report);
    put_locations(page, report);
    page.raw("</main></body></html>\n");
    return page.take();
}

}  // namespace x402
