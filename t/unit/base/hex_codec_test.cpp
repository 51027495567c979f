// SPDX-License-Identifier: Apache-2.0
#include "base/hex_codec.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

using Bytes = std::array<std::uint8_t, 4>;

TEST(HexCodec, EncodesLowerCaseWithoutPrefix)
{
    Bytes bytes = {0x00, 0x0f, 0xa5, 0xff};
    EXPECT_EQ(hex_encode(bytes.data(), bytes.size()), "000fa5ff");
    EXPECT_EQ(hex_encode(bytes.data(), 0), "");
}

TEST(HexCodec, DecodesEitherLetterCase)
{
    Bytes expected = {0x00, 0x0f, 0xa5, 0xff};
    EXPECT_EQ(hex_decode<4>("0x000fa5ff"), expected);
    EXPECT_EQ(hex_decode<4>("0x000FA5FF"), expected);
    EXPECT_EQ(hex_decode<4>("0x000Fa5fF"), expected);
}

TEST(HexCodec, RefusesOtherLengthsAndForms)
{
    constexpr const char *kRefused[] = {
        "",           "0x",          "000fa5ff",
        "0x000fa5f",  "0x000fa5f0f", "0x000fa5ff00",
        "0X000fa5ff", "0x000fa5fg",  "0x 00fa5ff",
        "x0000fa5ff", "0x-00fa5ff",  "0x000fa5f\xc3",
    };
    for (const char *text : kRefused) {
        EXPECT_EQ(hex_decode<4>(text), std::nullopt) << text;
    }
}

TEST(HexCodec, LeavesTheOutputAloneWhenItRefuses)
{
    Bytes bytes = {1, 2, 3, 4};
    EXPECT_FALSE(hex_decode("0x000fa5fg", bytes.data(), bytes.size()));
    EXPECT_EQ(bytes, (Bytes{1, 2, 3, 4}));
}

TEST(HexCodec, KnowsTextThatIsHexOfAnyLength)
{
    EXPECT_TRUE(is_hex_bytes("0x00"));
    EXPECT_TRUE(is_hex_bytes("0xAbCdEf"));
    EXPECT_FALSE(is_hex_bytes("0x"));
    EXPECT_FALSE(is_hex_bytes("0x0"));
    EXPECT_FALSE(is_hex_bytes("0x000"));
    EXPECT_FALSE(is_hex_bytes("0X00"));
    EXPECT_FALSE(is_hex_bytes("0x0g"));
    EXPECT_FALSE(is_hex_bytes("00"));
    EXPECT_FALSE(is_hex_bytes(""));
}

}  // namespace
}  // namespace x402
