// SPDX-License-Identifier: Apache-2.0
#include "session/store_counts.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "session/status_report.hpp"

namespace x402 {
namespace {

TEST(StoreCounts, WithoutAStoreThereIsNothingToTell)
{
    StoreCounters words{};
    StoreCounts counts;
    words.add_to(counts);
    EXPECT_FALSE(counts.any());
    StatusReport report;
    EXPECT_EQ(status_metrics(report, Exposition::prometheus).find("x402_store"),
              std::string::npos);
    EXPECT_NE(status_json(report).find("\"store\":null"), std::string::npos);
    EXPECT_EQ(status_page(report).find("<h2>Store"), std::string::npos);
}

TEST(StoreCounts, ShardsAreAddedUp)
{
    StoreCounters one{};
    StoreCounters two{};
    one.set_state(true, 0);
    two.set_state(false, 7);
    one.count(0, StoreOutcome::granted);
    two.count(0, StoreOutcome::granted);
    two.count(3, StoreOutcome::doubtful);
    one.count_wait(100);
    one.count_wait(101);
    two.count_wait(6000000);
    StoreCounts counts;
    one.add_to(counts);
    two.add_to(counts);
    EXPECT_TRUE(counts.any());
    EXPECT_EQ(counts.connected, 1u);
    EXPECT_EQ(counts.away, 1u);
    EXPECT_EQ(counts.unconfirmed, 7u);
    EXPECT_EQ(counts.calls[0][0], 2u);
    EXPECT_EQ(counts.awaited.buckets[0], 1u);
    EXPECT_EQ(counts.awaited.buckets[1], 1u);
    EXPECT_EQ(counts.awaited.buckets[StoreDurations::kBounds], 1u);
    EXPECT_EQ(counts.awaited.count(), 3u);

    StatusReport report;
    report.store = counts;
    std::string text = status_metrics(report, Exposition::openmetrics);
    for (const char *line :
         {"nginx_x402_store_workers{state=\"away\"} 1\n",
          "nginx_x402_store_unconfirmed 7\n",
          "nginx_x402_store_calls_total{call=\"take\",outcome=\"granted\"} 2\n",
          "nginx_x402_store_calls_total{call=\"finish\",outcome=\"doubtful\"} "
          "1\n",
          "nginx_x402_store_wait_duration_seconds_bucket{le=\"0.0001\"} 1\n",
          "nginx_x402_store_wait_duration_seconds_bucket{le=\"1.0\"} 2\n",
          "nginx_x402_store_wait_duration_seconds_bucket{le=\"+Inf\"} 3\n",
          "nginx_x402_store_wait_duration_seconds_sum 6.000201\n"}) {
        EXPECT_NE(text.find(line), std::string::npos) << line << text;
    }
    EXPECT_NE(status_json(report).find("\"store\":{\"connected\":1,\"away\":1,"
                                       "\"unconfirmed\":7,\"calls\":{\"take\":{"
                                       "\"granted\":2,"),
              std::string::npos);
    std::string page = status_page(report);
    EXPECT_NE(page.find("<span class=\"tag bad\">away</span>"),
              std::string::npos);
    EXPECT_NE(page.find("<dd>1 of 2</dd>"), std::string::npos) << page;
}

TEST(StoreCounts, AWorkerThatEndsIsCountedNoMore)
{
    StoreCounters words{};
    words.set_state(false, 3);
    words.count(1, StoreOutcome::error);
    words.clear_state();
    StoreCounts counts;
    words.add_to(counts);
    EXPECT_FALSE(counts.any());
    EXPECT_EQ(counts.unconfirmed, 0u);
    EXPECT_EQ(counts.calls[1][2], 1u);
}

}  // namespace
}  // namespace x402
