// SPDX-License-Identifier: Apache-2.0
#include "base/decimal_amount.hpp"

#include <cstddef>
#include <limits>

#include <gtest/gtest.h>

#include "base/hex_codec.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

// 2^256 - 1 and 2^256
constexpr const char *kLargest = "115792089237316195423570985008687907853269984"
                                 "665640564039457584007913129639935";
constexpr const char *kTooLarge = "11579208923731619542357098500868790785326998"
                                  "4665640564039457584007913129639936";

TEST(DecimalAmount, KnowsAtomicAmounts)
{
    for (const char *text : {"0", "1", "10000", kLargest}) {
        EXPECT_TRUE(is_atomic_amount(text)) << text;
    }
    for (const char *text :
         {"", "00", "01", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "1,000",
          "\xef\xbc\x91", kTooLarge}) {
        EXPECT_FALSE(is_atomic_amount(text)) << text;
    }
    EXPECT_TRUE(is_atomic_amount(std::string(77, '9')));
    EXPECT_FALSE(is_atomic_amount(std::string(78, '9')));
    EXPECT_FALSE(is_atomic_amount("1" + std::string(78, '0')));
}

TEST(DecimalAmount, ShiftsThePointExactly)
{
    struct Row {
        const char *decimal;
        unsigned decimals;
        const char *amount;
    };
    constexpr Row kRows[] = {
        {"0.01", 6, "10000"},
        {"0.001", 6, "1000"},
        {"1.005", 6, "1005000"},
        {"4.02", 6, "4020000"},
        {"1", 0, "1"},
        {"1", 18, "1000000000000000000"},
        {"0.000001", 6, "1"},
        {"00.5", 2, "50"},
        {"007", 1, "70"},
        {"1.50", 1, "15"},
        {"1.0000000", 6, "1000000"},
        {"0", 6, "0"},
        {"0", 0, "0"},
        {"123456789012345678901234567890.123456", 18,
         "123456789012345678901234567890123456000000000000"},
        {kLargest, 0, kLargest},
        {"1", 77,
         "10000000000000000000000000000000000000000000000000000000000000000000"
         "0000000000"},
    };
    for (const Row &row : kRows) {
        Result<std::string> amount =
            to_atomic_amount(row.decimal, row.decimals);
        ASSERT_TRUE(amount) << row.decimal << ": " << amount.problem().text;
        EXPECT_EQ(amount.value(), row.amount) << row.decimal;
    }
}

TEST(DecimalAmount, RefusesWhatIsNoPlainDecimalNumber)
{
    for (const char *text : {"", ".", ".5", "5.", "-1", "+1", "1e3", "1E3",
                             "0x10", "1,000", "1_000", " 1", "1 ", "1.2.3",
                             "1..2", "NaN", "inf", "$1", "\xef\xbc\x90"}) {
        Result<std::string> amount = to_atomic_amount(text, 6);
        ASSERT_FALSE(amount) << text;
        EXPECT_NE(amount.problem().text.find("not a plain decimal number"),
                  std::string::npos)
            << amount.problem().text;
    }
}

TEST(DecimalAmount, RefusesToLoseDigits)
{
    EXPECT_FALSE(to_atomic_amount("0.0000001", 6));
    EXPECT_FALSE(to_atomic_amount("1.0000001", 6));
    EXPECT_FALSE(to_atomic_amount("1.9", 0));
    EXPECT_EQ(to_atomic_amount("0.0000001", 6).problem().text,
              "\"0.0000001\" is finer than the asset's 6 decimals: write at "
              "most 6 digits after the point");
}

TEST(DecimalAmount, RefusesZeroUnlessItIsPlain)
{
    for (const char *text : {"0.0", "0.00", "00", "0.000000000"}) {
        Result<std::string> amount = to_atomic_amount(text, 6);
        ASSERT_FALSE(amount) << text;
        EXPECT_NE(amount.problem().text.find("is zero"), std::string::npos);
    }
}

TEST(DecimalAmount, RefusesMoreThan256Bits)
{
    EXPECT_FALSE(to_atomic_amount(kTooLarge, 0));
    EXPECT_FALSE(to_atomic_amount("2", 77));
    EXPECT_FALSE(to_atomic_amount("1", 78));
    EXPECT_FALSE(to_atomic_amount("1", 4000000000u));
    EXPECT_FALSE(to_atomic_amount("0.1", 4000000000u));
    EXPECT_FALSE(to_atomic_amount(std::string(5000, '9'), 6));
    EXPECT_TRUE(to_atomic_amount(std::string(5000, '0') + "9", 6));
}

// The reference truncates, and lets signs and "5." through; we refuse all that
// would charge something other than what was written.
TEST(DecimalAmount, EqualsTheReferenceWhereNothingIsLost)
{
    JsonDocument document = read_vectors("price-vectors.json");
    JsonValue rows = document.root()["convertToTokenAmount"];
    std::size_t equal = 0;
    std::size_t stricter = 0;
    for (std::size_t index = 0; index < rows.size(); ++index) {
        JsonValue row = rows.at(index);
        std::string_view decimal = row["amount"].string();
        SCOPED_TRACE(std::string(decimal));
        Result<std::string> amount = to_atomic_amount(
            decimal, static_cast<unsigned>(*row["decimals"].integer()));
        if (amount) {
            EXPECT_EQ(amount.value(), row["out"].string());
            ++equal;
            continue;
        }
        bool truncated = decimal == "1.9" || decimal == "0.0000019"
                         || decimal == "1.999999999";
        bool unplain_zero = decimal == "0.000";
        bool sign_or_point = decimal == "5." || decimal == "1."
                             || decimal == "-1.5" || decimal == "-0.0000001";
        EXPECT_TRUE(row["error"].exists() || truncated || unplain_zero
                    || sign_or_point);
        stricter += row["error"].exists() ? 0 : 1;
    }
    EXPECT_EQ(rows.size(), 15u);
    EXPECT_EQ(equal, 4u);
    EXPECT_EQ(stricter, 8u);
}

TEST(DecimalAmount, ComparesByValue)
{
    EXPECT_EQ(compare_atomic_amounts("0", "0"), 0);
    EXPECT_LT(compare_atomic_amounts("9", "10"), 0);
    EXPECT_GT(compare_atomic_amounts("10", "9"), 0);
    EXPECT_LT(compare_atomic_amounts("10000", "10001"), 0);
    EXPECT_GT(compare_atomic_amounts(kLargest, "1"), 0);
    EXPECT_EQ(compare_atomic_amounts(kLargest, kLargest), 0);
}

TEST(DecimalAmount, MakesBigEndianBytes)
{
    auto hex_of = [](const char *text) {
        auto bytes = atomic_amount_bytes(text);
        return bytes ? hex_encode(bytes->data(), bytes->size()) : "none";
    };
    EXPECT_EQ(hex_of("0"), std::string(64, '0'));
    EXPECT_EQ(hex_of("255"), std::string(62, '0') + "ff");
    EXPECT_EQ(hex_of("256"), std::string(60, '0') + "0100");
    EXPECT_EQ(hex_of("1000000"), std::string(58, '0') + "0f4240");
    EXPECT_EQ(hex_of("9999999999999999999"),
              std::string(48, '0') + "8ac7230489e7ffff");
    EXPECT_EQ(hex_of("10000000000000000000"),
              std::string(48, '0') + "8ac7230489e80000");
    EXPECT_EQ(hex_of("18446744073709551616"),
              std::string(47, '0') + "1" + std::string(16, '0'));
    EXPECT_EQ(hex_of(kLargest), std::string(64, 'f'));
    EXPECT_EQ(hex_of(kTooLarge), "none");
    EXPECT_EQ(hex_of("01"), "none");
    EXPECT_EQ(hex_of(""), "none");
}

TEST(AtomicAmountText, IsTheNumberThatWasRead)
{
    for (const std::string &text :
         {std::string("0"), std::string("9"), std::string("255"),
          std::string("256"), std::string("10000"),
          std::string("18446744073709551615"),
          std::string("18446744073709551616"), std::string(kLargest)}) {
        EXPECT_EQ(atomic_amount_text(*atomic_amount_bytes(text)), text);
    }
}

TEST(DecimalAmount, IsWrittenAsDecimalNumber)
{
    EXPECT_EQ(to_decimal("10000", 6), "0.01");
    EXPECT_EQ(to_decimal("1", 6), "0.000001");
    EXPECT_EQ(to_decimal("1000000", 6), "1");
    EXPECT_EQ(to_decimal("12345678", 6), "12.345678");
    EXPECT_EQ(to_decimal("100", 0), "100");
    EXPECT_EQ(to_decimal("0", 6), "0");
    EXPECT_EQ(to_decimal("0", 0), "0");
    EXPECT_EQ(to_decimal("5", 18), "0.000000000000000005");
    EXPECT_EQ(to_atomic_amount(to_decimal(kLargest, 18), 18).value(), kLargest);
}

TEST(DecimalAmount, SaturatesSeconds)
{
    constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(saturated_seconds("0"), 0);
    EXPECT_EQ(saturated_seconds("2110580033"), 2110580033);
    EXPECT_EQ(saturated_seconds("9223372036854775806"), kNever - 1);
    EXPECT_EQ(saturated_seconds("9223372036854775807"), kNever);
    EXPECT_EQ(saturated_seconds("9223372036854775808"), kNever);
    EXPECT_EQ(saturated_seconds(kLargest), kNever);
}

}  // namespace
}  // namespace x402
