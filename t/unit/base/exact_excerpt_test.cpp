// SPDX-License-Identifier: Apache-2.0
#include "base/exact_excerpt.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

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
