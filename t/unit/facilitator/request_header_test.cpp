// SPDX-License-Identifier: Apache-2.0
#include "facilitator/request_header.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

std::string validate(const std::string &name, const std::string &value)
{
    return validate_header(RequestHeader{"", name, value});
}

TEST(RequestHeader, TakesOrdinaryOnes)
{
    EXPECT_EQ(validate("X-Api-Key", "abc"), "");
    EXPECT_EQ(validate("Authorization", "Bearer a.b-c"), "");
    EXPECT_EQ(validate("x!#%&'*+.^_`|~9", "a\tb"), "");
    EXPECT_EQ(validate("X-Empty", ""), "");
    EXPECT_EQ(validate("X-Name", "Gr\xc3\xbc\xc3\x9f"), "");
}

TEST(RequestHeader, RefusesMalformedNames)
{
    EXPECT_NE(validate("", "a").find("must not be empty"), std::string::npos);
    for (const char *name : {"X-A:", "X A", " X", ":path", "X\r\nY", "X\tY",
                             "X(", "\xc3\xbc", "X\"", "X/Y", "X\x7f"}) {
        EXPECT_NE(validate(name, "a").find("needs a name"), std::string::npos)
            << name;
    }
    EXPECT_NE(validate(std::string("X\0Y", 3), "a"), "");
}

TEST(RequestHeader, RefusesWhatTheModuleWritesItself)
{
    for (const char *name :
         {"Content-Type", "content-length", "HOST", "Expect",
          "Transfer-Encoding", "Accept", "Accept-Encoding", "Connection",
          "User-Agent", "Upgrade", "TE", "Keep-Alive"}) {
        EXPECT_NE(validate(name, "a").find("by the module itself"),
                  std::string::npos)
            << name;
    }
}

TEST(RequestHeader, RefusesControlCharactersWithoutRepeatingTheValue)
{
    for (const char *end : {"\r\nX: y", "\n", "\r", "\x01", "\x7f", "\x1b"}) {
        std::string text = validate("X-A", std::string("topsecret") + end);
        EXPECT_NE(text.find("control character"), std::string::npos);
        EXPECT_EQ(text.find("topsecret"), std::string::npos);
    }
    EXPECT_NE(validate("X-A", std::string("a\0b", 3)), "");
}

TEST(RequestHeader, RefusesVariables)
{
    EXPECT_NE(validate("X-A", "$arg_key").find("variables"), std::string::npos);
    EXPECT_NE(validate("X-$a", "b").find("variables"), std::string::npos);
    EXPECT_EQ(validate("X-A", "topsecret$a").find("topsecret"),
              std::string::npos);
}

TEST(RequestHeader, KnowsItsOperation)
{
    RequestHeader all{"", "X-A", "1"};
    RequestHeader verify{"verify", "X-A", "1"};
    RequestHeader empty{"", "X-A", ""};
    EXPECT_TRUE(all.goes_with("verify"));
    EXPECT_TRUE(all.goes_with("settle"));
    EXPECT_TRUE(verify.goes_with("verify"));
    EXPECT_FALSE(verify.goes_with("settle"));
    EXPECT_FALSE(empty.goes_with("verify"));
    EXPECT_TRUE(all.is("x-a"));
    EXPECT_FALSE(all.is("x-"));
    EXPECT_TRUE(all == (RequestHeader{"", "X-A", "1"}));
    EXPECT_FALSE(all == verify);
    EXPECT_FALSE(all == empty);
}

}  // namespace
}  // namespace x402
