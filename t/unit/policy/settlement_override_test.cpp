// SPDX-License-Identifier: Apache-2.0
#include "policy/settlement_override.hpp"

#include <cstddef>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "policy/asset_table.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

PaymentRequirements requirements_of(JsonValue row)
{
    PaymentRequirements requirements;
    requirements.scheme = "upto";
    requirements.amount = row["amount"].string();
    const Asset *asset =
        find_asset_by_address(row["network"].string(), row["asset"].string());
    if (asset != nullptr) {
        requirements.decimals = asset->decimals;
    }
    return requirements;
}

// The reference sends on whatever it cannot read, and has no upper bound; the
// rule is that nothing is settled then (money.md: malformed or above the
// maximum). Text of the reference that has to be refused, and why.
struct Stricter {
    const char *amount;
    const char *part;
};

constexpr Stricter kStricter[] = {
    {"100001", "more than the maximum"},
    {"150%", "more than the maximum"},
    {"$1", "more than the maximum"},
    {"01000", "is invalid"},
    {"-5", "is invalid"},
    {"1.5", "is invalid"},
    {"abc", "is invalid"},
    {"", "is invalid"},
    {" 1000", "is invalid"},
    {"33.333%", "is invalid"},
    {"0.001%", "is invalid"},
    {".5%", "is invalid"},
    {"50 %", "is invalid"},
    {"-50%", "is invalid"},
    {"5e1%", "is invalid"},
    {"$ 0.05", "is invalid"},
    {"$.05", "is invalid"},
    {"$0.05 USDC", "is invalid"},
    {"$1,000", "is invalid"},
    {"$1e-3", "is invalid"},
    {"0.05$", "is invalid"},
    {"1000.0", "is invalid"},
};

const char *stricter_part(std::string_view amount)
{
    for (const Stricter &row : kStricter) {
        if (row.amount == amount) {
            return row.part;
        }
    }
    return nullptr;
}

TEST(SettlementOverride, EqualsTheReferenceOrIsRefusedOnPurpose)
{
    JsonDocument document = read_vectors("settlement-override-vectors.json");
    JsonValue vectors = document.root()["vectors"];
    ASSERT_EQ(vectors.size(), 43u);
    std::size_t stricter = 0;
    std::size_t equal = 0;
    for (std::size_t index = 0; index < vectors.size(); ++index) {
        JsonValue row = vectors.at(index);
        std::string value =
            "{\"amount\":" + written(row["overrideAmount"]) + "}";
        SCOPED_TRACE(value);
        Result<std::string> amount =
            settlement_amount(value, 1, requirements_of(row["requirements"]));
        const char *part = stricter_part(row["overrideAmount"].string());
        if (row["error"].exists()) {
            EXPECT_FALSE(amount);
        } else if (part != nullptr) {
            ASSERT_FALSE(amount) << amount.value();
            EXPECT_NE(amount.problem().text.find(part), std::string::npos)
                << amount.problem().text;
            ++stricter;
        } else {
            ASSERT_TRUE(amount) << amount.problem().text;
            EXPECT_EQ(amount.value(), row["settledAmount"].string());
            ++equal;
        }
    }
    EXPECT_EQ(stricter, std::size(kStricter));
    EXPECT_EQ(equal, 18u);
}

std::string settled(const std::string &value, std::size_t count = 1)
{
    PaymentRequirements requirements;
    requirements.amount = "100000";
    requirements.decimals = 6;
    Result<std::string> amount = settlement_amount(value, count, requirements);
    return amount ? amount.value() : "no: " + amount.problem().text;
}

TEST(SettlementOverride, NoHeaderMeansTheMaximum)
{
    EXPECT_EQ(settled("", 0), "100000");
    EXPECT_EQ(settled(R"({"amount":"5"})", 0), "100000");
}

TEST(SettlementOverride, RefusesWhatItCannotTell)
{
    for (const char *value :
         {"", "5", "null", "[]", "{}", "{\"amount\":5}", "{\"amount\":null}",
          "{\"Amount\":\"5\"}", "{\"amount\":\"5\",\"amount\":\"6\"}",
          "{\"amount\":\"5\",\"currency\":\"EUR\"}", "{\"amount\":\"5\"} x",
          "{\"amount\":\"5\"}, {\"amount\":\"5\"}", "{\"amount\":\"%\"}",
          "{\"amount\":\"$\"}", "{\"amount\":\"$5.\"}"}) {
        EXPECT_EQ(settled(value).substr(0, 3), "no:") << value;
    }
    EXPECT_NE(settled(R"({"amount":"5"})", 2).find("several"),
              std::string::npos);
}

TEST(SettlementOverride, RoundsDownAndKnowsItsBounds)
{
    EXPECT_EQ(settled(R"({"amount":"$0.0000009"})"), "0");
    EXPECT_EQ(settled(R"({"amount":"$0.1"})"), "100000");
    EXPECT_EQ(settled(R"({"amount":"100.00%"})"), "100000");
    EXPECT_NE(settled(R"({"amount":"100.01%"})").find("more than"),
              std::string::npos);
    for (const char *front : {"", "$"}) {
        std::string huge = std::string(front) + std::string(78, '9');
        EXPECT_EQ(settled("{\"amount\":\"" + huge + "\"}").substr(0, 3), "no:");
    }
}

}  // namespace
}  // namespace x402
