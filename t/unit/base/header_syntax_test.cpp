// SPDX-License-Identifier: Apache-2.0
#include "base/header_syntax.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <cstring>
#include <string>

namespace x402 {
namespace {

TEST(HeaderSyntax, AreTheSameInAnyCaseOfLetters)
{
    EXPECT_TRUE(same_word("Keep-Alive", "keep-alive"));
    EXPECT_TRUE(same_word("", ""));
    EXPECT_FALSE(same_word("close", "closed"));
    EXPECT_FALSE(same_word("close", "clos\xe5"));
    EXPECT_FALSE(same_word("@", "`")) << "only letters have a case";
    EXPECT_FALSE(same_word("[", "{"));
}

TEST(HeaderSyntax, KnowsTokens)
{
    for (int code = 0; code < 256; code++) {
        char byte = static_cast<char>(code);
        bool token = code < 128
                     && (std::isalnum(code)
                         || (code && std::strchr("!#$%&'*+-.^_`|~", code)));
        EXPECT_EQ(is_token(std::string(1, byte)), token) << code;
        EXPECT_EQ(is_token(std::string("a") + byte + "b"), token) << code;
    }
    EXPECT_FALSE(is_token(""));
}

TEST(HeaderSyntax, KnowsControlCharacters)
{
    for (int code = 0; code < 256; code++) {
        std::string text = std::string("a") + static_cast<char>(code) + "b";
        EXPECT_EQ(has_control(text), (code < 32 && code != 9) || code == 127)
            << code;
    }
    EXPECT_FALSE(has_control(""));
}

// Eight bytes at once, beside neighbors of every kind.
TEST(HeaderSyntax, KnowsControlCharactersAnywhere)
{
    for (std::string text : {std::string(19, 'a'), std::string(19, '\x80'),
                             std::string(19, '\xff'), std::string(19, ' '),
                             std::string(19, '~')}) {
        EXPECT_FALSE(has_control(text));
        for (std::size_t place = 0; place < text.size(); place++) {
            for (int code = 0; code < 256; code++) {
                std::string changed = text;
                changed[place] = static_cast<char>(code);
                EXPECT_EQ(has_control(changed),
                          (code < 32 && code != 9) || code == 127)
                    << place << ' ' << code;
            }
        }
    }
}

TEST(HeaderSyntax, AcceptNamesTypes)
{
    for (const char *accept :
         {"text/html", "TEXT/Html", "a/b,text/html", " text/html ;q=0.001",
          "text/*", "text/html;level=1;q=1", "text/html;q=0,text/html"}) {
        EXPECT_TRUE(names_type(accept, "text/html")) << accept;
    }
    for (const char *accept :
         {"", ",", ";", "*/*", "text/html;q=0", "text/html;q=0.0", "*/html",
          "text/htm", "text/htmlx", "xtext/html", "text/html;level=1; q = 0",
          "application/*", "/*", "text/*;q=0"}) {
        EXPECT_FALSE(names_type(accept, "text/html")) << accept;
    }
}

}  // namespace
}  // namespace x402
