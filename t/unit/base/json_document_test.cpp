// SPDX-License-Identifier: Apache-2.0
#include "base/json_document.hpp"

#include <cstddef>
#include <limits>

#include <gtest/gtest.h>

#include "vectors.hpp"

namespace x402 {
namespace {

using namespace std::string_view_literals;

TEST(JsonDocument, ReadsEveryKindOfValue)
{
    JsonDocument document = parse_json(
        R"( {"text":"a\u00e9\/","count":-7,"real":2.5,"yes":true,"no":false,)"
        R"("nothing":null,"list":[1,[2]],"deep":{"x":{"y":"z"}}} )");
    JsonValue root = document.root();

    EXPECT_TRUE(root.is_object());
    EXPECT_EQ(root.size(), 8u);
    EXPECT_EQ(root["text"].string(), "a\u00e9/");
    EXPECT_EQ(root["count"].integer(), -7);
    EXPECT_TRUE(root["real"].is_number());
    EXPECT_EQ(root["real"].integer(), std::nullopt);
    EXPECT_TRUE(root["yes"].is_true());
    EXPECT_TRUE(root["no"].is_boolean());
    EXPECT_FALSE(root["no"].is_true());
    EXPECT_TRUE(root["nothing"].exists());
    EXPECT_TRUE(root["nothing"].is_null());
    EXPECT_TRUE(root["list"].is_array());
    EXPECT_EQ(root["list"].size(), 2u);
    EXPECT_EQ(root["list"].at(1).at(0).integer(), 2);
    EXPECT_EQ(root["deep"]["x"]["y"].string(), "z");
}

TEST(JsonDocument, WhatDoesNotExistIsANullToChainThrough)
{
    JsonDocument document = parse_json(R"({"text":"a","list":[1]})");
    JsonValue root = document.root();

    for (JsonValue missing :
         {root["none"], root["none"]["deeper"], root["text"]["a"],
          root["list"]["0"], root["list"].at(1), root.at(0), JsonValue(),
          JsonDocument().root()}) {
        EXPECT_FALSE(missing.exists());
        EXPECT_TRUE(missing.is_null());
        EXPECT_FALSE(missing.is_object() || missing.is_array()
                     || missing.is_string() || missing.is_number()
                     || missing.is_true() || missing.is_boolean());
        EXPECT_EQ(missing.string(), "");
        EXPECT_EQ(missing.integer(), std::nullopt);
        EXPECT_EQ(missing.size(), 0u);
        EXPECT_TRUE(missing.members().empty());
        EXPECT_EQ(written(missing), "null");
        EXPECT_TRUE(missing.equals(JsonValue()));
        EXPECT_FALSE(missing.equals(root));
        EXPECT_FALSE(root.equals(missing));
    }
}

TEST(JsonDocument, KeepsTheOrderOfMembers)
{
    const char *text =
        R"({"z":1,"a":{"y":2,"b":3},"m":[{"q":1,"c":2}],"10":4})";
    EXPECT_EQ(written(parse_json(text).root()), text);

    std::string keys;
    JsonDocument document = parse_json(text);
    for (const auto &[key, value] : document.root().members()) {
        keys.append(key);
        EXPECT_TRUE(value.equals(document.root()[key]));
    }
    EXPECT_EQ(keys, "zam10");
}

TEST(JsonDocument, RefusesWhatCanBeReadInTwoWays)
{
    struct Row {
        const char *name;
        std::string_view text;
    };
    const Row rows[] = {
        {"empty", ""},
        {"blanks only", "  "},
        {"duplicate member", R"({"a":1,"a":1})"},
        {"duplicate member, nested", R"({"o":{"a":1,"b":2,"a":3}})"},
        {"duplicate member, one escaped", R"({"a":1,"\u0061":2})"},
        {"NUL escape", R"({"a":"\u0000"})"},
        {"NUL escape in a key", R"({"\u0000":1})"},
        {"raw NUL", "{\"a\":\"\0\"}"sv},
        {"NUL behind", "{}\0"sv},
        {"NUL in front", "\0{}"sv},
        {"NUL behind a number", "{\"a\":1\0}"sv},
        {"NUL behind a real", "[1.5\0,2]"sv},
        {"NUL behind a literal", "{\"a\":true\0,\"b\":null\0}"sv},
        {"NUL behind an array", "[[]\0]"sv},
        {"NUL for a blank", "{\0\"a\":1}"sv},
        {"trailing bytes", "{} x"},
        {"two values", "{}{}"},
        {"byte order mark", "\xef\xbb\xbf{}"},
        {"invalid UTF-8", "{\"a\":\"\xff\"}"},
        {"overlong UTF-8", "{\"a\":\"\xc0\xaf\"}"},
        {"surrogate in UTF-8", "{\"a\":\"\xed\xa0\x80\"}"},
        {"lone high surrogate", R"({"a":"\ud800"})"},
        {"lone low surrogate", R"({"a":"\udc00"})"},
        {"raw control character", "{\"a\":\"\n\"}"},
        {"integer beyond 64 bits", "9223372036854775808"},
        {"real beyond double", "1e999"},
        {"leading zero", "01"},
        {"leading plus", "+1"},
        {"hexadecimal", "0x10"},
        {"NaN", "NaN"},
        {"comment", "{/*c*/}"},
        {"single quotes", "{'a':1}"},
        {"trailing comma", "[1,]"},
        {"open object", "{\"a\":1"},
        {"open string", "\"abc"},
        {"backslash at the end", "\"abc\\"},
        {"closing bracket first", "]"},
        {"crossed brackets", "{\"a\":[1}]"},
    };
    for (const Row &row : rows) {
        EXPECT_FALSE(JsonDocument::parse(row.text)) << row.name;
    }
}

std::string repeated(std::string_view part, std::size_t count)
{
    std::string text;
    for (std::size_t index = 0; index < count; ++index) {
        text.append(part);
    }
    return text;
}

TEST(JsonDocument, HoldsItsLimits)
{
    auto nested = [](std::size_t depth) {
        return repeated("[", depth) + repeated("]", depth);
    };
    EXPECT_TRUE(JsonDocument::parse(nested(32)));
    EXPECT_FALSE(JsonDocument::parse(nested(33)));
    EXPECT_FALSE(JsonDocument::parse(nested(30000)));
    EXPECT_FALSE(JsonDocument::parse(repeated("{\"a\":", 20000)));

    auto members = [](std::size_t count) {
        std::string text = "{";
        for (std::size_t index = 0; index < count; ++index) {
            text +=
                (index == 0 ? "\"" : ",\"") + std::to_string(index) + "\":0";
        }
        return text + "}";
    };
    EXPECT_TRUE(JsonDocument::parse(members(1024)));
    EXPECT_FALSE(JsonDocument::parse(members(1025)));

    auto values = [](std::size_t count) {
        return "[" + repeated("0,", count - 2) + "0]";
    };
    EXPECT_TRUE(JsonDocument::parse(values(4096)));
    EXPECT_FALSE(JsonDocument::parse(values(4097)));
    EXPECT_FALSE(JsonDocument::parse("[" + repeated("{},", 5000) + "{}]"));

    std::string longest = "\"" + std::string(64 * 1024 - 2, 'x') + "\"";
    EXPECT_TRUE(JsonDocument::parse(longest));
    EXPECT_FALSE(JsonDocument::parse(longest + " "));
}

TEST(JsonDocument, CountsNothingInsideStrings)
{
    EXPECT_TRUE(JsonDocument::parse("\"" + repeated("[{:,", 5000) + "\""));
    EXPECT_TRUE(
        JsonDocument::parse("\"\\\"" + repeated("[{:,", 5000) + "\\\\\""));
}

TEST(JsonDocument, CountsAgainBehindEveryString)
{
    for (std::string string :
         {R"("")", R"("x")", R"("\\")", R"("\"")", R"("a\"b")", R"("\\\"")",
          R"("\u0041\\")", R"("\"\"")"}) {
        std::string good =
            "[" + string + "," + repeated("[", 31) + repeated("]", 31) + "]";
        std::string deep =
            "[" + string + "," + repeated("[", 32) + repeated("]", 32) + "]";
        EXPECT_TRUE(JsonDocument::parse(good)) << string;
        auto refused = JsonDocument::parse(deep);
        ASSERT_FALSE(refused) << string;
        EXPECT_EQ(refused.problem().text, "nested deeper than 32 levels");
    }
}

TEST(JsonDocument, TakesLimitsOfTheCaller)
{
    JsonLimits limits;
    limits.bytes = 10;
    limits.depth = 1;
    limits.keys = 1;
    limits.values = 2;
    EXPECT_TRUE(JsonDocument::parse("{\"a\":1}", limits));
    EXPECT_FALSE(JsonDocument::parse("{\"abcd\":11}", limits));
    EXPECT_FALSE(JsonDocument::parse("[[]]", limits));
    EXPECT_FALSE(JsonDocument::parse("[1,2,3]", limits));
}

TEST(JsonDocument, SaysWhereAFaultIs)
{
    EXPECT_EQ(JsonDocument::parse_explained("{\"a\":}").problem().text,
              "unexpected token near '}' at byte 6");
    EXPECT_EQ(JsonDocument::parse("{\"a\":}").problem().text, "not JSON");
    EXPECT_EQ(JsonDocument::parse(repeated("[", 33)).problem().text,
              "nested deeper than 32 levels");
}

TEST(JsonDocument, IntegersAreNumbersWithIntegralValues)
{
    auto integer = [](const char *text) {
        return parse_json(text).root().integer();
    };
    EXPECT_EQ(integer("2"), 2);
    EXPECT_EQ(integer("2.0"), 2);
    EXPECT_EQ(integer("2e0"), 2);
    EXPECT_EQ(integer("-0.0"), 0);
    EXPECT_EQ(integer("9223372036854775807"),
              std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(integer("-9223372036854775808"),
              std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(integer("-9223372036854775808.0"),
              std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(integer("9223372036854775808.0"), std::nullopt);
    EXPECT_EQ(integer("1e300"), std::nullopt);
    EXPECT_EQ(integer("2.5"), std::nullopt);
    EXPECT_EQ(integer("\"2\""), std::nullopt);
    EXPECT_EQ(integer("true"), std::nullopt);
    EXPECT_EQ(integer("null"), std::nullopt);
    EXPECT_EQ(integer("[2]"), std::nullopt);
}

TEST(JsonDocument, ComparesDeeplyAndNumbersByValue)
{
    auto equal = [](const char *left, const char *right) {
        bool one_way = parse_json(left).root().equals(parse_json(right).root());
        bool other_way =
            parse_json(right).root().equals(parse_json(left).root());
        EXPECT_EQ(one_way, other_way);
        return one_way;
    };
    EXPECT_TRUE(equal("300", "300.0"));
    EXPECT_TRUE(equal("0.5", "5e-1"));
    EXPECT_TRUE(equal(R"({"a":1,"b":[{"x":1,"y":2}]})",
                      R"({"b":[{"y":2,"x":1}],"a":1})"));
    EXPECT_TRUE(equal("\"\\u00e9\"", "\"\u00e9\""));
    EXPECT_TRUE(equal("null", "null"));
    EXPECT_TRUE(equal("[]", "[]"));
    EXPECT_TRUE(equal("{}", "{}"));

    EXPECT_FALSE(equal("1", "\"1\""));
    EXPECT_FALSE(equal("1", "true"));
    EXPECT_FALSE(equal("0", "null"));
    EXPECT_FALSE(equal("0", "false"));
    EXPECT_FALSE(equal("1", "1.5"));
    EXPECT_FALSE(equal("true", "false"));
    EXPECT_FALSE(equal("\"a\"", "\"A\""));
    EXPECT_FALSE(equal("[1,2]", "[2,1]"));
    EXPECT_FALSE(equal("[1,2]", "[3,2]"));
    EXPECT_FALSE(equal("[1,2]", "[1,3]"));
    EXPECT_FALSE(equal("[1,2]", "[1,2,3]"));
    EXPECT_FALSE(equal("{}", "[]"));
    EXPECT_FALSE(equal(R"({"a":1})", R"({"a":1,"b":1})"));
    EXPECT_FALSE(equal(R"({"a":1})", R"({"b":1})"));
    EXPECT_FALSE(equal(R"({"a":null})", R"({"b":null})"));
    // A double cannot tell these two apart; the integers can.
    EXPECT_FALSE(equal("9007199254740993", "9007199254740992.0"));
}

TEST(JsonDocument, WritesCompactText)
{
    const char *loose = "{ \"a\" : [ 1 , 2.50 , \"x\\/\\u0041\\u0007\" ] ,\n"
                        "\t\"b\" : { } , \"c\" : [ ] , \"d\" : null }";
    EXPECT_EQ(written(parse_json(loose).root()),
              R"({"a":[1,2.5,"x/A\u0007"],"b":{},"c":[],"d":null})");
}

TEST(JsonDocument, MergesObjects)
{
    auto merge = [](const char *under, const char *over) {
        return merge_json_objects(parse_json(under).root(),
                                  parse_json(over).root());
    };
    EXPECT_EQ(merge(R"({"name":"USDC","version":"2"})",
                    R"({"foo":"bar","version":"9"})"),
              R"({"name":"USDC","version":"9","foo":"bar"})");
    EXPECT_EQ(merge(R"({"o":{"a":1,"b":2},"l":[1]})",
                    R"({"l":[2,3],"o":{"b":3,"c":4}})"),
              R"({"o":{"a":1,"b":3,"c":4},"l":[2,3]})");
    EXPECT_EQ(merge(R"({"o":{"a":1}})", R"({"o":5})"), R"({"o":5})");
    EXPECT_EQ(merge(R"({"o":5})", R"({"o":{"a":1}})"), R"({"o":{"a":1}})");
    EXPECT_EQ(merge(R"({"a":1})", R"({"a":null})"), R"({"a":null})");
    EXPECT_EQ(merge("{}", "{}"), "{}");
    EXPECT_EQ(merge_json_objects(JsonValue(), parse_json("{}").root()), "{}");
}

TEST(JsonDocument, NoCutOfARealPayloadIsJson)
{
    JsonDocument document = read_vectors("evm-payments.json");
    JsonValue vectors = document.root()["vectors"];
    for (std::size_t row = 0; row < vectors.size(); ++row) {
        std::string text = written(vectors.at(row)["decoded"]);
        EXPECT_EQ(written(parse_json(text).root()), text);
        for (std::size_t length = 0; length < text.size(); ++length) {
            EXPECT_FALSE(JsonDocument::parse(text.substr(0, length)));
        }
    }
}

TEST(JsonDocument, NoBytePutAnywhereCrashes)
{
    std::string text = R"({"a":[1,-2.5e1,"\u00e9\ud83d\ude00\\",true],"b":{}})";
    for (std::size_t place = 0; place < text.size(); ++place) {
        for (int byte = 0; byte < 256; ++byte) {
            std::string broken = text;
            broken[place] = static_cast<char>(byte);
            Result<JsonDocument> document = JsonDocument::parse(broken);
            if (document) {
                std::string once = written(document->root());
                ASSERT_EQ(written(parse_json(once).root()), once);
            }
        }
    }
}

}  // namespace
}  // namespace x402
