// SPDX-License-Identifier: Apache-2.0
#include "base/json_scanner.hpp"

#include <gtest/gtest.h>

#include "base/json_document.hpp"

using namespace x402;

namespace {

const JsonNames kNames = {"usage_total_tokens", "id", "choices_0_index"};

// Read in pieces of so many bytes; what "usage_total_tokens" is then.
std::string tokens_of(std::string_view text, std::size_t piece = 1)
{
    JsonScanner scanner(kNames);
    for (std::size_t at = 0; at < text.size(); at += piece) {
        scanner.feed(text.substr(at, piece));
    }
    if (!scanner.finish()) {
        return "bad";
    }
    const JsonScanner::Found &found = scanner.found()[0];
    return found.count == 1 ? found.text
                            : std::to_string(found.count) + " times";
}

bool is_json(std::string_view text)
{
    JsonScanner scanner(kNames);
    scanner.feed(text);
    return scanner.finish();
}

TEST(JsonScanner, FindsMembersOfMembersWhereverTheTextIsCut)
{
    std::string_view text =
        R"( {"id":"a\"b\u00e9\ud83d\ude00 \\","choices":[{"index":0},{"index":1}],)"
        R"("Usage" : {"prompt_tokens":7,"total_tokens":1000, "x":null}} )";
    for (std::size_t piece = 1; piece <= text.size(); piece++) {
        EXPECT_EQ(tokens_of(text, piece), "1000") << piece;
    }
    JsonScanner scanner(kNames);
    scanner.feed(text);
    ASSERT_TRUE(scanner.finish());
    EXPECT_EQ(scanner.found()[1].text, "a\"b\x01\x01\x01 \\");
    EXPECT_EQ(scanner.found()[2].text, "0");
}

TEST(JsonScanner, KeepsNumbersAsTheyAreWritten)
{
    for (const char *number : {"0", "-5", "9007199254740993", "1.4e-05",
                               "123456789012345678901234567890", "true"}) {
        std::string text =
            std::string(R"({"usage":{"total_tokens":)") + number + "}}";
        EXPECT_EQ(tokens_of(text), number);
    }
    EXPECT_EQ(tokens_of(R"({"usage":{"total_tokens":"12"}})"), "12");
}

TEST(JsonScanner, CountsANameThatIsThereTwice)
{
    EXPECT_EQ(tokens_of(R"({"usage":{"total_tokens":1,"total_tokens":2}})"),
              "2 times");
    EXPECT_EQ(
        tokens_of(R"({"usage":{"total_tokens":1},"usage_total":{"tokens":2}})"),
        "2 times");
    EXPECT_EQ(tokens_of(R"({"usage":{"total_tokens":1,"TOTAL_tokens":2}})"),
              "2 times");
    EXPECT_EQ(
        tokens_of(
            R"({"us\u0061ge":{"total_tokens":1},"usage":{"total_tokens":2}})"),
        "2 times");
    EXPECT_EQ(tokens_of(R"({"usage":null})"), "0 times");
    EXPECT_EQ(tokens_of(R"({"usage":{"total_tokens":null}})"), "0 times");
    EXPECT_EQ(tokens_of(R"({"usage":{"total_tokens":{"a":1}}})"), "0 times");
}

TEST(JsonScanner, IsNotMisledByNames)
{
    std::string longer(JsonScanner::kLongestName + 50, 'u');
    EXPECT_EQ(tokens_of(R"({"":{"usage":{"total_tokens":1}}})"), "0 times");
    EXPECT_EQ(tokens_of("{\"" + longer + R"(":1,"usage":{"total_tokens":3}})"),
              "3");
    EXPECT_EQ(tokens_of(R"({"content":"{\"usage\":{\"total_tokens\":9}}"})"),
              "0 times");
    EXPECT_EQ(tokens_of(R"({"usag\u0000e":1})"), "bad");
}

TEST(JsonScanner, RefusesWhatIsNotJson)
{
    for (const char *text : {"",
                             " ",
                             "{",
                             "[",
                             "{]",
                             "[}",
                             "[1,]",
                             "{\"a\":1,}",
                             "{\"a\"}",
                             "{a:1}",
                             "01",
                             "1.",
                             ".5",
                             "-",
                             "+1",
                             "1e",
                             "1e+",
                             "--1",
                             "1-1",
                             "tru",
                             "truex",
                             "nul",
                             "\"a",
                             "\"\n\"",
                             "\"\\x\"",
                             "\"\\u12g4\"",
                             "\"\\ud800\"",
                             "\"\\ud800a\"",
                             "\"\\ud800\\n\"",
                             "\"\\udc00\"",
                             "\"\\u0000\"",
                             "1 2",
                             "{} {}",
                             "]",
                             ",",
                             "\"\xff\"",
                             "\"\xc3\"",
                             "\"\xc0\x80\"",
                             "\"\xed\xa0\x80\"",
                             "\"\xf5\x80\x80\x80\"",
                             "\"\xe2\x82\"",
                             "{\"a\" 1}",
                             "[1 2]",
                             "NaN"}) {
        EXPECT_FALSE(is_json(text)) << text;
        EXPECT_FALSE(JsonDocument::parse(text).ok()) << text;
    }
    for (const char *text :
         {"0", "-0", "1.5e+10", "\"\"", "null", "[]", "{}", "[[],{}]",
          "\"\\ud83d\\ude00\"", "\"\xe2\x82\xac\"", "\"\xf4\x8f\xbf\xbf\"",
          " [ 1 , 2 ] ", "{\"\":1}"}) {
        EXPECT_TRUE(is_json(text)) << text;
        EXPECT_TRUE(JsonDocument::parse(text).ok()) << text;
    }
}

TEST(JsonScanner, HasBounds)
{
    std::string deep(JsonScanner::kDeepest, '[');
    std::string ends(JsonScanner::kDeepest, ']');
    EXPECT_TRUE(is_json(deep + ends));
    EXPECT_FALSE(is_json("[" + deep + ends + "]"));
    EXPECT_FALSE(is_json(std::string(JsonScanner::kLongestNumber + 1, '1')));
    JsonScanner scanner(kNames);
    scanner.feed("{\"id\":\"" + std::string(100000, 'x') + "\"}");
    ASSERT_TRUE(scanner.finish());
    EXPECT_EQ(scanner.found()[1].text.size(), JsonScanner::kLongestText);
}

TEST(JsonScanner, BeginsAgain)
{
    JsonScanner scanner(kNames);
    scanner.feed("{\"id\":\"\\ud83d");
    scanner.restart();
    scanner.feed(R"({"usage":{"total_tokens":4}})");
    EXPECT_TRUE(scanner.finish());
    EXPECT_EQ(scanner.found()[0].text, "4");
    EXPECT_EQ(scanner.found()[1].count, 0u);
}

}  // namespace
