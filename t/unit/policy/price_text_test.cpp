// SPDX-License-Identifier: Apache-2.0
#include "policy/price_text.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

TEST(PriceText, ReadsDollarsAndTickers)
{
    struct Row {
        const char *text;
        const char *number;
        const char *symbol;
    };
    constexpr Row kRows[] = {
        {"$0.01", "0.01", ""},
        {"$1.50 USDC", "1.50", "USDC"},
        {"$ 1 usdt0", "1", "usdt0"},
        {"0.01", "0.01", ""},
        {"$1", "1", ""},
        {"0", "0", ""},
        {"$0", "0", ""},
        {"00.5", "00.5", ""},
        {"$ 0.01", "0.01", ""},
        {"$  0.01", "0.01", ""},
        {" $0.01 ", "0.01", ""},
        {"\t$0.01\n", "0.01", ""},
        {"0.01 USD", "0.01", ""},
        {"$0.01 usd", "0.01", ""},
        {"0.01 USDT", "0.01", "USDT"},
        {"0.01   usdc", "0.01", "usdc"},
        {"0.01\tUSDC.e", "0.01", "USDC.e"},
        {"1 USDT0 ", "1", "USDT0"},
        {"1 M", "1", "M"},
        {"1 USDX", "1", "USDX"},
        {"1 AzaZ09", "1", "AzaZ09"},
        {"1 zZ", "1", "zZ"},
        {"1 aA", "1", "aA"},
    };
    for (const Row &row : kRows) {
        Result<PriceText> price = parse_price_text(row.text);
        ASSERT_TRUE(price) << row.text << ": " << price.problem().text;
        EXPECT_EQ(price->number, row.number) << row.text;
        EXPECT_EQ(price->symbol, row.symbol) << row.text;
    }
}

TEST(PriceText, SaysWhatIsWrongAndWhatToWrite)
{
    struct Row {
        const char *text;
        const char *advice;
    };
    constexpr Row kRows[] = {
        {"", "is empty"},
        {"   ", "is empty"},
        {"$", "is empty"},
        {"$ ", "is empty"},
        {"-1", "has a sign"},
        {"+1", "has a sign"},
        {"$-1", "has a sign"},
        {".5", "lacks a digit before the point"},
        {"$.5", "lacks a digit before the point"},
        {"5.", "lacks a digit after the point"},
        {"1,000", "has a separator"},
        {"$1,000.50", "has a separator"},
        {"1_000", "has a separator"},
        {"1'000", "has a separator"},
        {"0,01", "has a separator"},
        {"1e6", "has an exponent"},
        {"1e-3", "has an exponent"},
        {"1.5E+3", "has an exponent"},
        {"0x10", "lacks a blank before its ticker"},
        {"1.50USDC", "lacks a blank before its ticker"},
        {"$0.01USDC", "lacks a blank before its ticker"},
        {"$0.01 EURC", "names dollars and a token"},
        {"1.2.3", "has trailing characters"},
        {"5. USDC", "has trailing characters"},
        {"1 2", "has trailing characters"},
        {"1 USDC x", "has trailing characters"},
        {"1 US-DC", "has trailing characters"},
        {"1 .e", "has trailing characters"},
        {"0.01 \xe2\x82\xac", "has trailing characters"},
        {"1$", "has trailing characters"},
        {"abc", "is not an amount"},
        {"NaN", "is not an amount"},
        {"$$1", "is not an amount"},
        {"\xe2\x82\xac"
         "1",
         "is not an amount"},
        {"\xef\xbc\x91", "is not an amount"},
    };
    for (const Row &row : kRows) {
        Result<PriceText> price = parse_price_text(row.text);
        ASSERT_FALSE(price) << row.text;
        const std::string &text = price.problem().text;
        EXPECT_EQ(
            text.find("price \"" + std::string(row.text) + "\" " + row.advice),
            0u)
            << text;
        EXPECT_NE(text.find(": write "), std::string::npos) << text;
        EXPECT_NE(text.back(), '.') << text;
    }
}

TEST(PriceText, TellsVariablesFromDollars)
{
    for (const char *text : {"$price", "${price}", "0.01 $token", "$_x", "$a",
                             "$z", "$A", "$Z", "$0.01 $t", "a$b"}) {
        EXPECT_TRUE(has_variable(text)) << text;
    }
    for (const char *text : {"", "$", "$0.01", "$ 0.01", "0.01", "$1", "1$",
                             "$-1", "$ x", "$$1", "0.01 USDC"}) {
        EXPECT_FALSE(has_variable(text)) << text;
    }
}

}  // namespace
}  // namespace x402
