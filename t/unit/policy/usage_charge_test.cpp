// SPDX-License-Identifier: Apache-2.0
#include "policy/usage_charge.hpp"

#include <gtest/gtest.h>

using namespace x402;

namespace {

std::string charge(const std::vector<UsageTerm> &terms,
                   std::string_view maximum = "5000000")
{
    auto made = usage_charge(terms, maximum);
    if (!made) {
        return "?";
    }
    return made->amount + (made->capped ? " capped" : "");
}

TEST(UsageCharge, IsTheSumOfProductsRoundedDown)
{
    EXPECT_EQ(charge({{"1000"}}), "1000");
    EXPECT_EQ(charge({{"1000", "2"}}), "2000");
    EXPECT_EQ(charge({{"999", "0.25"}}), "249");
    EXPECT_EQ(charge({{"10", "1.5"}, {"3", "0.5"}}), "16");
    EXPECT_EQ(charge({{"1", "0.6"}, {"1", "0.6"}}), "1");
    EXPECT_EQ(charge({{"0.00014", "1000000"}}), "140");
    EXPECT_EQ(charge({{"1.4e-05", "1000000"}}), "14");
    EXPECT_EQ(charge({{"2e3"}}), "2000");
    EXPECT_EQ(charge({{"0", "7"}}), "0");
    EXPECT_EQ(charge({{"0.0"}}), "0");
    EXPECT_EQ(charge({{"007"}}), "7");
    EXPECT_EQ(charge({}), "0");
    EXPECT_EQ(charge({{"12345678901234567890", "98765432109876543210"}},
                     std::string(50, '9')),
              "1219326311370217952237463801111263526900");
}

TEST(UsageCharge, IsNeverMoreThanTheMaximum)
{
    EXPECT_EQ(charge({{"5000000"}}), "5000000");
    EXPECT_EQ(charge({{"5000001"}}), "5000000 capped");
    EXPECT_EQ(charge({{"9007199254740993"}}), "5000000 capped");
    EXPECT_EQ(charge({{"1e99", "1e99"}}), "5000000 capped");
    std::string most(78, '9');
    EXPECT_EQ(charge({{most, most}, {most, most}}), "5000000 capped");
    EXPECT_EQ(charge({{"1e-99", "1e-99"}}), "0");
}

TEST(UsageCharge, SaysWhatIsNoNumber)
{
    for (const char *text :
         {"", "-1", "-0", "+1", " 1", "1 ", "1,000", ".5", "1.", "1e", "e5",
          "1e100", "1e0001", "0x10", "NaN", "null", "true", "1_000", "1.2.3"}) {
        EXPECT_EQ(charge({{"1"}, {text}}), "?") << text;
        EXPECT_EQ(charge({{"1", text}}), "?") << text;
        EXPECT_FALSE(is_usage_factor(text)) << text;
    }
    EXPECT_EQ(charge({{std::string(79, '1')}}), "?");
    EXPECT_TRUE(is_usage_factor("0.25"));
    auto made = usage_charge({{"-1"}}, "1");
    ASSERT_FALSE(made);
    EXPECT_EQ(made.problem().text, "\"-1\" is not an amount that was used");
}

}  // namespace
