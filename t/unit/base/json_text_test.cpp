// SPDX-License-Identifier: Apache-2.0
#include "base/json_text.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "vectors.hpp"

namespace x402 {
namespace {

using namespace std::string_view_literals;

std::string quoted(std::string_view text)
{
    std::string out;
    append_json_string(out, text);
    return out;
}

std::string number(double value)
{
    std::string out;
    append_json_number(out, value);
    return out;
}

TEST(JsonText, EscapesAsEcmascriptDoes)
{
    EXPECT_EQ(quoted(""), "\"\"");
    EXPECT_EQ(quoted("plain /path?a=b&c"), "\"plain /path?a=b&c\"");
    EXPECT_EQ(quoted("say \"no\" \\ yes"), "\"say \\\"no\\\" \\\\ yes\"");
    EXPECT_EQ(quoted("\b\t\n\f\r"), "\"\\b\\t\\n\\f\\r\"");
    EXPECT_EQ(quoted("\0\x01\x0b\x1f"sv), "\"\\u0000\\u0001\\u000b\\u001f\"");
    EXPECT_EQ(quoted("\x7f"), "\"\x7f\"");
    EXPECT_EQ(quoted("USD\u20ae0 \u00e9 \U0001f600 \u2028"),
              "\"USD\u20ae0 \u00e9 \U0001f600 \u2028\"");
}

// Plain text is taken eight bytes at once.
TEST(JsonText, EscapesEveryByteInEveryPlace)
{
    for (int value = 0; value < 256; ++value) {
        std::string byte(1, static_cast<char>(value));
        std::string alone = x402::quoted(byte);
        alone = alone.substr(1, alone.size() - 2);
        for (std::size_t place = 0; place < 18; ++place) {
            std::string front(place, '!');
            std::string back(17 - place, '~');
            EXPECT_EQ(x402::quoted(front + byte + back),
                      '"' + front + alone + back + '"')
                << value << " at " << place;
        }
    }
}

TEST(JsonText, GivesTheInsideOfAString)
{
    std::string room;
    std::string_view plain = "http://shop/a?b=c";
    EXPECT_EQ(inside_json_string(plain, room).data(), plain.data());
    EXPECT_EQ(inside_json_string("", room), "");
    EXPECT_EQ(inside_json_string("a\"\xff\n", room), "a\\\"\xef\xbf\xbd\\n");
}

TEST(JsonText, FindsTheOneByteThatIsNotPlain)
{
    std::string room;
    std::string whole;
    for (std::size_t size = 1; size < 40; size++) {
        for (std::size_t at = 0; at < size; at++) {
            for (char odd : {'"', '\\', '\x1f', '\xff'}) {
                std::string text(size, 'a');
                text[at] = odd;
                whole.clear();
                append_json_string(whole, text);
                EXPECT_EQ('"' + std::string(inside_json_string(text, room))
                              + '"',
                          whole);
                EXPECT_NE(whole.size(), size + 2);
            }
        }
    }
}

TEST(JsonText, ReplacesEachBadByte)
{
    const std::string bad = "\xef\xbf\xbd";
    struct Row {
        const char *name;
        std::string_view text;
        std::string replaced;
    };
    const Row rows[] = {
        {"lone continuation", "a\x80z", "a" + bad + "z"},
        {"Latin-1", "caf\xe9", "caf" + bad},
        {"overlong slash", "\xc0\xaf", bad + bad},
        {"overlong in three", "\xe0\x80\xaf", bad + bad + bad},
        {"overlong in four", "\xf0\x80\x80\xaf", bad + bad + bad + bad},
        {"surrogate", "\xed\xa0\x80", bad + bad + bad},
        {"beyond U+10FFFF", "\xf4\x90\x80\x80", bad + bad + bad + bad},
        {"lead byte f5", "\xf5\x80\x80\x80", bad + bad + bad + bad},
        {"cut sequence", "a\xe2\x82", "a" + bad + bad},
        {"cut by the end of the view", {"\xe2\x82\xac", 2}, bad + bad},
        {"lead byte at the end of the view", {"\xc3\xa9", 1}, bad},
        {"cut before ASCII", "\xe2\x82z", bad + bad + "z"},
        {"bad third byte", "\xe2\x82\xc3\xa9", bad + bad + "\xc3\xa9"},
        {"0xff", "\xff", bad},
    };
    for (const Row &row : rows) {
        EXPECT_EQ(quoted(row.text), "\"" + row.replaced + "\"") << row.name;
    }
}

TEST(JsonText, KeepsTheEndsOfUnicode)
{
    for (std::string_view text :
         {"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
          "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
          "\xf4\x8f\xbf\xbf"}) {
        EXPECT_EQ(quoted(text), "\"" + std::string(text) + "\"");
    }
}

// Whatever a stranger sends, what we write can be read as JSON again.
TEST(JsonText, AnyTwoBytesMakeReadableJson)
{
    for (int first = 0; first < 256; ++first) {
        for (int second = 0; second < 256; second += 3) {
            char bytes[] = {static_cast<char>(first), static_cast<char>(second),
                            'x'};
            std::string text = quoted({bytes, sizeof(bytes)});
            bool has_nul = first == 0 || second == 0;
            EXPECT_EQ(JsonDocument::parse(text).ok(), !has_nul) << text;
        }
    }
}

TEST(JsonText, PutsCommasBetweenMembers)
{
    std::string out = "{";
    append_json_key(out, "a");
    out += "1";
    append_json_key(out, "b\"");
    out += "{";
    append_json_key(out, "c");
    out += "2}}";
    EXPECT_EQ(out, "{\"a\":1,\"b\\\"\":{\"c\":2}}");
}

TEST(JsonText, WritesNumbersAsEcmascriptDoes)
{
    struct Row {
        double value;
        const char *text;
    };
    const Row rows[] = {
        {0.0, "0"},
        {2.0, "2"},
        {-3.0, "-3"},
        {300.0, "300"},
        {0.5, "0.5"},
        {-1.25, "-1.25"},
        {123456.789, "123456.789"},
        {0.000001, "0.000001"},
        {0.0000001, "1e-7"},
        {1.5e-10, "1.5e-10"},
        {1e21, "1e+21"},
        {1.5e300, "1.5e+300"},
        {0.1, "0.1"},
        {0.30000000000000004, "0.30000000000000004"},
        {9007199254740991.0, "9007199254740991"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
    };
    for (const Row &row : rows) {
        EXPECT_EQ(number(row.value), row.text);
    }
}

TEST(JsonText, KeepsNumbersThatWouldReadBackAsSomethingElse)
{
    EXPECT_EQ(number(-0.0), "-0.0");
    EXPECT_EQ(number(1e20), "1e+20");
    EXPECT_EQ(number(1152921504606846976.0), "1.152921504606847e+18");
}

TEST(JsonText, NumbersReadBackAsTheSameDouble)
{
    std::uint64_t state = 88172645463325252u;
    for (int round = 0; round < 20000; ++round) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        double value = 0;
        std::memcpy(&value, &state, sizeof(value));
        if (!std::isfinite(value)) {
            continue;
        }
        std::string text = number(value);
        ASSERT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
        JsonDocument document = parse_json(text);
        ASSERT_EQ(written(document.root()), text);
    }
}

TEST(JsonText, IsWrittenInPrintableAscii)
{
    EXPECT_EQ(ascii_json(R"({"a":"b\n"})"), R"({"a":"b\n"})");
    EXPECT_EQ(ascii_json("\"\xc3\xa9\xe2\x82\xac\""), R"("\u00e9\u20ac")");
    EXPECT_EQ(ascii_json("\"\xf0\x9f\x98\x80\""), R"("\ud83d\ude00")");
    EXPECT_EQ(ascii_json("\"\xf4\x8f\xbf\xbf\""), R"("\udbff\udfff")");
    EXPECT_EQ(ascii_json("\"\x7f\xc2\x85\""), R"("\u007f\u0085")");
    EXPECT_EQ(ascii_json("\"\xff\""), R"("\ufffd")");
    EXPECT_EQ(ascii_json(""), "");
}

}  // namespace
}  // namespace x402
