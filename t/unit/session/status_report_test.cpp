// SPDX-License-Identifier: Apache-2.0
#include "session/status_report.hpp"

#include <cstring>
#include <new>
#include <string>

#include <gtest/gtest.h>

#include "base/decimal_amount.hpp"
#include "base/json_document.hpp"
#include "session/claim_table.hpp"

namespace x402 {
namespace {

constexpr std::int64_t kNow = 1800000000;
constexpr const char *kUsdc = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";

std::array<std::uint8_t, 32> amount(std::string_view text)
{
    return atomic_amount_bytes(text).value();
}

class Report : public testing::Test {
protected:
    Report()
        : memory_(static_cast<std::uint8_t *>(
            ::operator new(StatusCounters::bytes(), std::align_val_t(64)))),
          counters_(formatted(memory_), 0)
    {
        counters_.use_shard();
        row_ = counters_.add_labels({{"shop.example", "/a\"b\\c\nd\x01\xff<"}})
                   .front();
        facilitator_ = counters_.add_facilitator("https://f.example");
    }
    ~Report() override { ::operator delete(memory_, std::align_val_t(64)); }
    static void *formatted(void *memory)
    {
        std::memset(memory, 0, StatusCounters::bytes());
        StatusCounters::format(memory, kNow - 100);
        return memory;
    }
    void earn(std::string_view network, std::string_view asset,
              std::string_view symbol, std::uint8_t decimals,
              std::string_view pay_to, std::string_view atomic)
    {
        std::uint32_t series = counters_.add_revenue(
            {row_, network, asset, pay_to, symbol, decimals});
        counters_.begin_day(series, day_of(kNow));
        counters_.add_amount(series, amount(atomic));
    }
    StatusReport report()
    {
        StatusReport made = read_status(counters_, kNow);
        made.version = "1.2.3";
        made.server_version = "1.22.1";
        return made;
    }
    std::string metrics(Exposition format = Exposition::prometheus)
    {
        return status_metrics(report(), format);
    }
    static bool has(const std::string &text, std::string_view part)
    {
        return text.find(part) != std::string::npos;
    }

    std::uint8_t *memory_;
    StatusCounters counters_;
    std::uint32_t row_ = 0;
    std::uint32_t facilitator_ = 0;
};

TEST_F(Report, OddLabelsAreEscaped)
{
    counters_.count(row_, LabelCounter::settled);
    EXPECT_TRUE(
        has(metrics(),
            "nginx_x402_requests_total{server=\"shop.example\",location=\""
            "/a\\\"b\\\\c\\nd \xef\xbf\xbd<\",state=\"settled\"} 1\n"));
    EXPECT_TRUE(JsonDocument::parse(status_json(report())));
    EXPECT_FALSE(has(status_page(report()), "\xff<"));
}

TEST_F(Report, RevenueIsSummedByLocation)
{
    earn("eip155:8453", kUsdc, "USDC", 6, "0xa", "10000");
    earn("eip155:8453", kUsdc, "USDC", 6, "0xb", "2500");
    earn("eip155:84532", "0xt", "", 255, "0xb", "7");
    std::string text = metrics();
    EXPECT_TRUE(has(text, "pay_to=\"0xa\"} 10000\n"));
    EXPECT_TRUE(has(text, "pay_to=\"0xb\"} 2500\n"));
    EXPECT_TRUE(has(text, "} 0.0125\n"));
    EXPECT_TRUE(has(text, "asset=\"0xt\""));
    auto lines = revenue_by_asset(report());
    ASSERT_EQ(lines.size(), 2u);
    std::string page = status_page(report());
    EXPECT_TRUE(has(page, "test money"));
    EXPECT_TRUE(has(page, "0.0125 <small>USDC today"));
}

// Prometheus takes nothing of a scrape with two series of one name.
TEST_F(Report, AnAddressInTwoSpellingsIsOneSeries)
{
    earn("eip155:8453", kUsdc, "USDC", 6, "0xaB", "10000");
    earn("eip155:8453", "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913", "USDC", 6,
         "0xAb", "2500");
    std::string text = metrics();
    std::size_t first = text.find("nginx_x402_revenue_atomic_total{");
    ASSERT_NE(first, std::string::npos);
    EXPECT_EQ(text.find("nginx_x402_revenue_atomic_total{", first + 1),
              std::string::npos);
    EXPECT_TRUE(has(text, "\"} 12500\n"));
    EXPECT_TRUE(has(text, "} 0.0125\n"));
    EXPECT_EQ(revenue_by_asset(report()).size(), 1u);
    // On Solana letters count.
    earn("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "Mint", "", 6, "Ab", "1");
    earn("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "mint", "", 6, "aB", "1");
    EXPECT_EQ(revenue_by_asset(report()).size(), 3u);
}

TEST_F(Report, OpenMetricsHasItsOwnForm)
{
    counters_.count_call(facilitator_, CallEndpoint::verify,
                         call_code(200, false, true), 42);
    std::string text = metrics(Exposition::openmetrics);
    EXPECT_TRUE(has(text, "# TYPE nginx_x402_requests counter\n"));
    EXPECT_TRUE(has(text, "le=\"1.0\""));
    EXPECT_EQ(text.substr(text.size() - 6), "# EOF\n");
    EXPECT_TRUE(has(metrics(), "# TYPE nginx_x402_requests_total counter\n"));
    EXPECT_FALSE(has(metrics(), "# EOF"));
}

TEST_F(Report, HistogramsAreCumulative)
{
    for (std::uint64_t ms : {5, 40, 40, 70000}) {
        counters_.count_call(facilitator_, CallEndpoint::settle,
                             call_code(200, false, true), ms);
    }
    std::string text = metrics();
    std::string lead = "nginx_x402_facilitator_request_duration_seconds_";
    std::string labels =
        "{facilitator=\"https://f.example\",endpoint=\"settle\"";
    EXPECT_TRUE(has(text, lead + "bucket" + labels + ",le=\"0.01\"} 1\n"));
    EXPECT_TRUE(has(text, lead + "bucket" + labels + ",le=\"0.05\"} 3\n"));
    EXPECT_TRUE(has(text, lead + "bucket" + labels + ",le=\"60\"} 3\n"));
    EXPECT_TRUE(has(text, lead + "bucket" + labels + ",le=\"+Inf\"} 4\n"));
    EXPECT_TRUE(has(text, lead + "sum" + labels + "} 70.085\n"));
    EXPECT_TRUE(has(text, lead + "count" + labels + "} 4\n"));
}

TEST_F(Report, OpenPaymentsAreListed)
{
    ClaimCensus census;
    census.taken = kNow;
    census.capacity = 100;
    census.states[static_cast<int>(ClaimState::unknown)] = 1;
    census.oldest_unknown = kNow - 90;
    census.has_journal = true;
    census.journal_bytes = 2048;
    OpenPayment payment;
    payment.state = static_cast<std::uint32_t>(ClaimState::unknown);
    payment.since = kNow - 90;
    payment.amount = amount("10000");
    std::strcpy(payment.network, "eip155:8453");
    std::strcpy(payment.asset, kUsdc);
    census.list(payment);
    counters_.publish(census);
    std::string text = metrics();
    EXPECT_TRUE(has(text, "nginx_x402_payments{state=\"unknown\"} 1\n"));
    EXPECT_TRUE(has(text, "nginx_x402_oldest_unknown_seconds 90\n"));
    EXPECT_TRUE(has(text, "nginx_x402_journal_writable 0\n"));
    EXPECT_TRUE(has(status_page(report()), "0.01 USDC"));
    EXPECT_TRUE(has(status_json(report()), "\"amount\":\"0.01 USDC\""));
}

TEST_F(Report, PagesLoadNothing)
{
    std::string page = status_page(report());
    for (const char *word : {"<script", "src=", "href=", "url(", "@import"}) {
        EXPECT_FALSE(has(page, word)) << word;
    }
}

}  // namespace
}  // namespace x402
