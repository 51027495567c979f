// SPDX-License-Identifier: Apache-2.0
#include "base/text_excerpt.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

TEST(LogExcerpt, FitsOneLogLine)
{
    EXPECT_EQ(log_excerpt(""), "");
    EXPECT_EQ(log_excerpt(" \r\n\t "), "");
    EXPECT_EQ(log_excerpt("  a  \n b  "), "a b");
    EXPECT_EQ(log_excerpt("say \"hi\""), "say 'hi'");
    EXPECT_EQ(log_excerpt("\x1b[31mred\x7f"), "[31mred?");
    EXPECT_EQ(log_excerpt("\xc3\xbc"), "??");
    EXPECT_EQ(log_excerpt(std::string("a\0b", 3)), "a b");
}

TEST(LogExcerpt, IsAtMostAsLongAsAsked)
{
    EXPECT_EQ(log_excerpt("abcd", 4), "abcd");
    EXPECT_EQ(log_excerpt("abcd \n", 4), "abcd");
    EXPECT_EQ(log_excerpt("abcde", 4), "abcd...");
    EXPECT_EQ(log_excerpt("abcd e", 4), "abcd...");
    EXPECT_EQ(log_excerpt("ab de", 4), "ab d...");
    EXPECT_EQ(log_excerpt("abc e", 4), "abc...");
    EXPECT_EQ(log_excerpt(std::string(500, 'x')),
              std::string(200, 'x') + "...");
}

TEST(HeaderExcerpt, IsFitForAHeader)
{
    EXPECT_EQ(header_excerpt("insufficient_funds"), "insufficient_funds");
    EXPECT_EQ(header_excerpt("a\r\nSet-Cookie: b=1"), "a Set-Cookie: b=1");
    EXPECT_EQ(header_excerpt(std::string("a\0b", 3)), "a b");
    EXPECT_EQ(header_excerpt("\"'`\\<>&\x7f\xc3\xa9"), "??????????");
    EXPECT_EQ(header_excerpt("abc", 2), "ab...");
    EXPECT_EQ(header_excerpt("\r\n"), "");
}

TEST(ExactExcerpt, MakesNoTextEqualToAPlainOne)
{
    EXPECT_EQ(exact_excerpt("tools/call search", 200), "tools/call search");
    for (std::string_view text :
         {"search ", " search", "search\n", "sea\trch", "sea  rch",
          "search\x7f", "search\xc2\xa0", " "}) {
        std::string out = exact_excerpt(text, 200);
        EXPECT_EQ(out.size(), text.size());
        EXPECT_NE(out, "search");
        EXPECT_NE(out, "sea rch");
    }
}

TEST(ExactExcerpt, IsFitForAHeader)
{
    EXPECT_EQ(exact_excerpt("a\r\nSet-Cookie: b=1", 200), "a??Set-Cookie: b=1");
    EXPECT_EQ(exact_excerpt(std::string_view("a\0b", 3), 200), "a?b");
    EXPECT_EQ(exact_excerpt("\"'`\\<>&\x7f\xc3\xa9", 200), "??????????");
}

TEST(ExactExcerpt, SaysThatItWasLonger)
{
    EXPECT_EQ(exact_excerpt("abc", 3), "abc");
    EXPECT_EQ(exact_excerpt("abc", 2), "ab...");
    EXPECT_EQ(exact_excerpt("", 2), "");
}

}  // namespace
}  // namespace x402
