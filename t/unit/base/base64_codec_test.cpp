// SPDX-License-Identifier: Apache-2.0
#include "base/base64_codec.hpp"

#include <cstddef>

#include <gtest/gtest.h>

namespace x402 {
namespace {

struct Pair {
    const char *bytes;
    const char *text;
};

// RFC 4648 section 10.
constexpr Pair kPairs[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xef\xbe\xff\xff\xff", "++++////"},
};

TEST(Base64Codec, EncodesPadded)
{
    for (const Pair &pair : kPairs) {
        EXPECT_EQ(base64_encode(pair.bytes), pair.text);
    }
}

TEST(Base64Codec, DecodesPadded)
{
    for (const Pair &pair : kPairs) {
        EXPECT_EQ(base64_decode(pair.text), pair.bytes) << pair.text;
    }
}

TEST(Base64Codec, DecodesWithoutAnyPadding)
{
    EXPECT_EQ(base64_decode("Zg"), "f");
    EXPECT_EQ(base64_decode("Zm8"), "fo");
    EXPECT_EQ(base64_decode("Zm9vYg"), "foob");
}

TEST(Base64Codec, KeepsEveryByteValueAtEveryOffset)
{
    std::string bytes;
    for (int value = 0; value < 256; ++value) {
        bytes.push_back(static_cast<char>(value));
    }
    for (std::size_t front = 0; front < 4; ++front) {
        std::string shifted = std::string(front, 'x') + bytes;
        EXPECT_EQ(base64_decode(base64_encode(shifted)), shifted);
    }
}

TEST(Base64Codec, RefusesABadSymbolAtEveryPlace)
{
    std::string good = base64_encode("seventeen bytes..");
    for (std::size_t place = 0; place < good.size() - 2; ++place) {
        for (char bad : {'\0', '\x01', '-', '_', ' ', '=', '\x80', '\xff'}) {
            std::string text = good;
            text[place] = bad;
            EXPECT_FALSE(base64_decode(text)) << place << ' ' << int{bad};
        }
    }
}

TEST(Base64Codec, EncodesTheEndOfTheMemoryItWritesTo)
{
    for (std::size_t length = 0; length < 50; ++length) {
        std::string bytes;
        for (std::size_t i = 0; i < length; ++i) {
            bytes.push_back(static_cast<char>(i * 37));
        }
        std::string room(base64_length(length) - length, ' ');
        room += bytes;
        char *end = write_base64(
            room.data(), std::string_view(room).substr(room.size() - length));
        EXPECT_EQ(end, room.data() + room.size());
        EXPECT_EQ(room, base64_encode(bytes)) << length;
    }
}

TEST(Base64Codec, RefusesWhatTheReferenceRefuses)
{
    constexpr Pair kRefused[] = {
        {"lone symbol", "Z"},
        {"lone symbol behind a group", "Zm9vY"},
        {"one of two pads missing", "Zg="},
        {"surplus pad", "Zm8=="},
        {"pads without need", "Zm9v="},
        {"pad group without symbols", "Zm9v===="},
        {"three pads", "Z==="},
        {"only pads", "===="},
        {"pad in the middle", "Zg==Zg=="},
        {"URL alphabet, minus", "Zm9-"},
        {"URL alphabet, underscore", "Zm9_"},
        {"leading blank", " Zm9v"},
        {"trailing blank", "Zm9v "},
        {"trailing newline", "Zm9v\n"},
        {"comma of joined header lines", "Zm9v, Zm9v"},
        {"byte above ASCII", "Zm9\xc3"},
    };
    for (const Pair &refused : kRefused) {
        EXPECT_EQ(base64_decode(refused.text), std::nullopt) << refused.bytes;
    }
    EXPECT_EQ(base64_decode(std::string_view("Zm\0v", 4)), std::nullopt);
}

TEST(Base64Codec, IgnoresBitsBehindTheLastByte)
{
    EXPECT_EQ(base64_decode("Zh=="), "f");
    EXPECT_EQ(base64_decode("Zm9="), "fo");
}

TEST(Base64Codec, OneStrangeByteAnywhereRefusesTheText)
{
    std::string text = base64_encode("three groups");
    for (std::size_t place = 0; place < text.size(); ++place) {
        std::string broken = text;
        broken[place] = '*';
        EXPECT_EQ(base64_decode(broken), std::nullopt) << place;
    }
}

TEST(Base64Codec, CutTextIsRefusedOrTheFrontOfTheBytes)
{
    std::string bytes = "what is cut cannot grow";
    std::string text = base64_encode(bytes);
    for (std::size_t length = 0; length < text.size(); ++length) {
        auto decoded = base64_decode(text.substr(0, length));
        if (decoded) {
            EXPECT_EQ(*decoded, bytes.substr(0, decoded->size()));
            EXPECT_EQ(decoded->size(), length * 6 / 8);
        }
    }
}

TEST(Base64Codec, UrlAlphabetHasNoPadding)
{
    EXPECT_EQ(base64url_encode("\xfb\xff"), "-_8");
    EXPECT_EQ(base64url_encode(""), "");
    EXPECT_EQ(base64url_decode("-_8"), "\xfb\xff");
    EXPECT_EQ(base64url_decode("-_8="), "\xfb\xff");
    EXPECT_EQ(base64url_decode("+/8"), std::nullopt);
    EXPECT_EQ(base64url_decode("-_8=="), std::nullopt);
    EXPECT_EQ(base64url_decode("-"), std::nullopt);
    EXPECT_EQ(base64_decode("-_8"), std::nullopt);
}

}  // namespace
}  // namespace x402
