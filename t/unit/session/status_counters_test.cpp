// SPDX-License-Identifier: Apache-2.0
#include "session/status_counters.hpp"

#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/decimal_amount.hpp"

namespace x402 {
namespace {

constexpr std::int64_t kNow = 1800000000;
constexpr std::int64_t kToday = day_of(kNow);

std::array<std::uint8_t, 32> amount(std::string_view text)
{
    return atomic_amount_bytes(text).value();
}

std::string text(const RevenueSum &sum)
{
    return atomic_amount_text(sum.bytes());
}

std::uint64_t at(const StatusCounters::LabelView &view, LabelCounter counter)
{
    return view.counters[static_cast<std::size_t>(counter)];
}

std::uint32_t row_of(StatusCounters &counters, std::string_view server,
                     std::string_view label)
{
    return counters.add_labels({{std::string(server), std::string(label)}})
        .front();
}

class StatusBlock : public testing::Test {
protected:
    StatusBlock()
        : memory_(static_cast<std::uint8_t *>(
            ::operator new(StatusCounters::bytes(), std::align_val_t(64))))
    {
        std::memset(memory_, 0, StatusCounters::bytes());
        StatusCounters::format(memory_, kNow);
    }
    ~StatusBlock() override
    {
        ::operator delete(memory_, std::align_val_t(64));
    }
    StatusCounters worker(std::size_t number)
    {
        StatusCounters counters(memory_, number);
        counters.use_shard();
        return counters;
    }

    RevenueKey key(std::uint32_t label = 1, std::string_view pay_to = "0xa")
    {
        return {label, "eip155:8453", "0xusdc", pay_to, "USDC", 6};
    }

    std::uint8_t *memory_;
};

TEST_F(StatusBlock, IsRecognised)
{
    EXPECT_TRUE(StatusCounters::recognises(memory_));
    std::memset(memory_, 0, 16);
    EXPECT_FALSE(StatusCounters::recognises(memory_));
}

TEST_F(StatusBlock, LabelsAreSummedOverWorkers)
{
    StatusCounters master(memory_, 0);
    std::uint32_t row = row_of(master, "shop.example", "/api");
    EXPECT_NE(row, StatusCounters::kOther);
    EXPECT_EQ(row_of(master, "shop.example", "/api"), row);
    EXPECT_NE(row_of(master, "other.example", "/api"), row);
    for (std::size_t number : {0, 1, 5, 21}) {
        StatusCounters counters = worker(number);
        counters.count(row, LabelCounter::settled);
        counters.count(row, RefusalLabel::expired);
    }
    auto view = master.label(row);
    EXPECT_EQ(view.server, "shop.example");
    EXPECT_EQ(view.label, "/api");
    EXPECT_EQ(at(view, LabelCounter::settled), 4u);
    EXPECT_EQ(at(view, LabelCounter::failed), 0u);
    EXPECT_EQ(view.refusals[static_cast<int>(RefusalLabel::expired)], 4u);
}

TEST_F(StatusBlock, TooManyLabelsAreOther)
{
    StatusCounters master(memory_, 0);
    std::uint32_t before = row_of(master, "", "label 7");
    std::vector<std::pair<std::string, std::string>> labels;
    for (std::uint32_t i = 0; i < 10000; i++) {
        labels.emplace_back("", "label " + std::to_string(i));
    }
    std::vector<std::uint32_t> rows = master.add_labels(labels);
    ASSERT_EQ(rows.size(), labels.size());
    EXPECT_EQ(rows[7], before);
    EXPECT_NE(rows[6], rows[8]);
    EXPECT_EQ(rows.back(), StatusCounters::kOther);
    EXPECT_EQ(master.add_labels(labels), rows);
    EXPECT_EQ(master.labels(), StatusCounters::kLabels);
    EXPECT_EQ(master.label(StatusCounters::kOther).label, "other");
}

TEST_F(StatusBlock, LongNamesAreCutAndFoundAgain)
{
    StatusCounters master(memory_, 0);
    std::string longest(1000, 'x');
    std::uint32_t row = row_of(master, longest, longest);
    EXPECT_EQ(row_of(master, longest, longest), row);
    EXPECT_EQ(master.label(row).label.size(), StatusCounters::kLabelBytes);
    std::uint32_t named = master.add_facilitator(longest);
    EXPECT_EQ(master.add_facilitator(longest), named);
}

TEST_F(StatusBlock, CallsHaveCodesAndDurations)
{
    StatusCounters counters = worker(3);
    std::uint32_t row = counters.add_facilitator("https://f.example");
    counters.count_call(row, CallEndpoint::settle, call_code(200, false, true),
                        10);
    counters.count_call(row, CallEndpoint::settle, call_code(503, false, true),
                        11);
    counters.count_call(row, CallEndpoint::settle, call_code(0, true, true),
                        70000);
    counters.set_answered(row, false);
    counters.set_breaker(row, true);
    auto view = counters.facilitator(row);
    auto codes = view.calls[static_cast<int>(CallEndpoint::settle)];
    EXPECT_EQ(codes[call_code(201, false, true)], 1u);
    EXPECT_EQ(codes[call_code(503, false, true)], 1u);
    EXPECT_EQ(codes[call_code(0, true, true)], 1u);
    auto took = view.durations[static_cast<int>(CallEndpoint::settle)];
    EXPECT_EQ(took.buckets[0], 1u);
    EXPECT_EQ(took.buckets[1], 1u);
    EXPECT_EQ(took.buckets[DurationCounts::kBounds], 1u);
    EXPECT_EQ(took.sum, 70021u);
    EXPECT_EQ(took.count(), 3u);
    EXPECT_TRUE(view.breaker_open);
    ASSERT_TRUE(view.answered.has_value());
    EXPECT_FALSE(*view.answered);
}

TEST(CallCode, EveryAnswerHasALabel)
{
    EXPECT_STREQ(call_code_label(call_code(204, false, true)), "2xx");
    EXPECT_STREQ(call_code_label(call_code(302, false, true)), "3xx");
    EXPECT_STREQ(call_code_label(call_code(402, false, true)), "402");
    EXPECT_STREQ(call_code_label(call_code(418, false, true)), "4xx");
    EXPECT_STREQ(call_code_label(call_code(429, false, true)), "429");
    EXPECT_STREQ(call_code_label(call_code(599, false, true)), "5xx");
    EXPECT_STREQ(call_code_label(call_code(0, true, true)), "timeout");
    EXPECT_STREQ(call_code_label(call_code(0, false, false)), "no_connection");
    EXPECT_STREQ(call_code_label(call_code(0, false, true)), "broken");
    EXPECT_STREQ(call_code_label(call_code(999, false, true)), "broken");
}

TEST_F(StatusBlock, RevenueIsExact)
{
    StatusCounters first = worker(0);
    StatusCounters second = worker(1);
    std::uint32_t series = first.add_revenue(key());
    EXPECT_EQ(second.find_revenue(key()), series);
    EXPECT_EQ(second.find_revenue(key(2)), StatusCounters::kOther);
    first.begin_day(series, kToday);
    first.add_amount(series, amount("18446744073709551615"));
    second.add_amount(series, amount("1"));
    second.add_amount(
        series, amount("1157920892373161954235709850086879078532699846656405640"
                       "39457584007913129639934"));
    auto view = first.revenue(series, kToday);
    EXPECT_EQ(view.network, "eip155:8453");
    EXPECT_EQ(view.symbol, "USDC");
    EXPECT_EQ(view.decimals, 6u);
    EXPECT_EQ(view.all.payments, 3u);
    // Modulo 2^256: 2^64 + 2^256 - 2.
    EXPECT_EQ(text(view.all), "18446744073709551614");
}

TEST_F(StatusBlock, ASeriesSaysWhatItIsAbout)
{
    StatusCounters counters = worker(0);
    std::uint32_t label = row_of(counters, "shop.example", "reports");
    std::uint32_t series = counters.add_revenue(key(label));
    EXPECT_TRUE(counters.is_revenue(series, key(label)));
    EXPECT_FALSE(counters.is_revenue(series, key(label + 1)));
    EXPECT_FALSE(counters.is_revenue(series, key(label, "0x2")));
    EXPECT_FALSE(counters.is_revenue(series + 1, key(label)));
    RevenueKey found = counters.revenue_key(series);
    EXPECT_EQ(found.label, label);
    EXPECT_EQ(found.network, "eip155:8453");
    EXPECT_EQ(found.symbol, "USDC");
    EXPECT_EQ(found.decimals, 6u);
    EXPECT_EQ(counters.label_names(label).first, "shop.example");
    EXPECT_EQ(counters.label_names(label).second, "reports");
}

TEST_F(StatusBlock, DaysAreKeptApart)
{
    StatusCounters counters = worker(0);
    std::uint32_t series = counters.add_revenue(key());
    for (std::int64_t day = kToday - 20; day <= kToday; day++) {
        EXPECT_TRUE(counters.is_new_day(series, day));
        counters.begin_day(series, day);
        EXPECT_FALSE(counters.is_new_day(series, day));
        counters.add_amount(series, amount("1000"));
    }
    auto view = counters.revenue(series, kToday);
    EXPECT_EQ(text(view.all), "21000");
    EXPECT_EQ(text(view.week), "7000");
    EXPECT_EQ(text(view.today), "1000");
    view = counters.revenue(series, kToday + 3);
    EXPECT_EQ(text(view.today), "0");
    EXPECT_EQ(text(view.week), "4000");
    view = counters.revenue(series, kToday + 30);
    EXPECT_EQ(text(view.week), "0");
    EXPECT_EQ(text(view.all), "21000");
}

TEST_F(StatusBlock, TooManyReceiversAreCountedTogether)
{
    StatusCounters counters = worker(0);
    std::string pay_to;
    for (int i = 0; i < 5000; i++) {
        pay_to = "0x" + std::to_string(i);
        std::uint32_t series = counters.add_revenue(key(1, pay_to));
        ASSERT_NE(series, StatusCounters::kOther);
        counters.add_amount(series, amount("1"));
    }
    std::uint64_t payments = 0;
    for (std::uint32_t row = 1; row < StatusCounters::kRevenues; row++) {
        auto view = counters.revenue(row, kToday);
        payments += view.all.payments;
        if (view.network.empty()) {
            EXPECT_EQ(view.all.payments, 0u);
        }
    }
    EXPECT_EQ(payments, 5000u);
}

TEST_F(StatusBlock, CensusIsReadWhole)
{
    StatusCounters counters = worker(0);
    EXPECT_FALSE(counters.census().has_value());
    ClaimCensus census;
    census.taken = kNow;
    census.owed = 7;
    counters.publish(census);
    auto read = counters.census();
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->owed, 7u);
    // A worker died while it wrote: the next one does not stay unreadable.
    counters.publish(census);
    EXPECT_TRUE(counters.census().has_value());
}

TEST(Census, KeepsTheOldest)
{
    ClaimCensus census;
    for (std::int64_t since = 100; since > 0; since--) {
        OpenPayment payment;
        payment.since = since;
        census.list(payment);
    }
    EXPECT_EQ(census.listed, ClaimCensus::kListed);
    for (const OpenPayment &payment : census.open) {
        EXPECT_LE(payment.since,
                  static_cast<std::int64_t>(ClaimCensus::kListed));
    }
}

TEST_F(StatusBlock, NothingIsLostBetweenThreads)
{
    StatusCounters master(memory_, 0);
    std::uint32_t row = row_of(master, "", "/");
    std::uint32_t series = master.add_revenue(key(row));
    std::vector<std::thread> threads;
    for (std::size_t number = 0; number < 4; number++) {
        threads.emplace_back([&, number] {
            // Two of them share a shard, as over a reload.
            StatusCounters counters = worker(number / 2);
            for (int i = 0; i < 10000; i++) {
                counters.count(row, LabelCounter::settled);
                counters.add_amount(series, amount("4294967296"));
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    EXPECT_EQ(at(master.label(row), LabelCounter::settled), 40000u);
    EXPECT_EQ(text(master.revenue(series, kToday).all), "171798691840000");
}

TEST(RefusalLabels, ReasonsAreOfAClosedList)
{
    EXPECT_EQ(refusal_label("invalid_exact_evm_insufficient_balance"),
              RefusalLabel::insufficient_funds);
    EXPECT_EQ(
        refusal_label("invalid_exact_evm_payload_authorization_valid_before"),
        RefusalLabel::expired);
    EXPECT_EQ(refusal_label("payment_already_used"),
              RefusalLabel::already_used);
    EXPECT_EQ(refusal_label("busy"), RefusalLabel::busy);
    for (const char *rule :
         {"payer_refused", "payer_too_fast", "quota_used_up"}) {
        EXPECT_STREQ(refusal_label_name(refusal_label(rule)), rule);
    }
    EXPECT_EQ(refusal_label("facilitator_failed"),
              RefusalLabel::facilitator_failed);
    EXPECT_EQ(refusal_label("something new \"\n"), RefusalLabel::other);
    EXPECT_EQ(refusal_label(""), RefusalLabel::other);
    EXPECT_STREQ(refusal_label_name(RefusalLabel::content_failed),
                 "content_failed");
}

}  // namespace
}  // namespace x402
