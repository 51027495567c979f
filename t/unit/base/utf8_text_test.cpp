// SPDX-License-Identifier: Apache-2.0
#include "base/utf8_text.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

TEST(ShownName, LooksTheSameWhereItIsTheSame)
{
    EXPECT_EQ(shown_name(""), "");
    EXPECT_EQ(shown_name("a \"b\" \\ \xc3\xa4 \xf0\x9f\x98\x80"),
              "a \"b\" \\ \xc3\xa4 \xf0\x9f\x98\x80");
    EXPECT_EQ(shown_name("a\xff"), "a\xef\xbf\xbd");
    EXPECT_EQ(shown_name("a\xfe"), shown_name("a\xff"));
    EXPECT_EQ(shown_name("\xc3"), "\xef\xbf\xbd");
    EXPECT_EQ(shown_name("\xed\xa0\x80").size(), 9u);
    EXPECT_EQ(shown_name("a\nb\x1b\x7f"), "a b  ");
    EXPECT_EQ(shown_name(std::string_view("a\0b", 3)), "a b");
}

}  // namespace
}  // namespace x402
