#include "facilitator/request_header.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

std::string objection(const std::string &name, const std::string &value)
{
    return objection_to_header(RequestHeader{"", name, value});
}

TEST(RequestHeader, TakesOrdinaryOnes)
{
    EXPECT_EQ(objection("X-Api-Key", "abc"), "");
    EXPECT_EQ(objection("Authorization", "Bearer a.b-c"), "");
    EXPECT_EQ(objection("x!#%&'*+.^_`|~9", "a\tb"), "");
    EXPECT_EQ(objection("X-Empty", ""), "");
    EXPECT_EQ(objection("X-Name", "Gr\xc3\xbc\xc3\x9f"), "");
}

TEST(RequestHeader, RefusesMalformedNames)
{
    EXPECT_NE(objection("", "a").find("must not be empty"), std::string::npos);
    for (const char *name : {"X-A:", "X A", " X", ":path", "X\r\nY", "X\tY",
                             "X(", "\xc3\xbc", "X\"", "X/Y", "X\x7f"}) {
        EXPECT_NE(objection(name, "a").find("needs a name"), std::string::npos)
            << name;
    }
    EXPECT_NE(objection(std::string("X\0Y", 3), "a"), "");
}

TEST(RequestHeader, RefusesWhatTheModuleWritesItself)
{
    for (const char *name :
         {"Content-Type", "content-length", "HOST", "Expect",
          "Transfer-Encoding", "Accept", "Accept-Encoding", "Connection",
          "User-Agent", "Upgrade", "TE", "Keep-Alive"}) {
        EXPECT_NE(objection(name, "a").find("by the module itself"),
                  std::string::npos)
            << name;
    }
}

TEST(RequestHeader, RefusesControlCharactersWithoutRepeatingTheValue)
{
    for (const char *end : {"\r\nX: y", "\n", "\r", "\x01", "\x7f", "\x1b"}) {
        std::string text = objection("X-A", std::string("topsecret") + end);
        EXPECT_NE(text.find("control character"), std::string::npos);
        EXPECT_EQ(text.find("topsecret"), std::string::npos);
    }
    EXPECT_NE(objection("X-A", std::string("a\0b", 3)), "");
}

TEST(RequestHeader, RefusesVariables)
{
    EXPECT_NE(objection("X-A", "$arg_key").find("variables"),
              std::string::npos);
    EXPECT_NE(objection("X-$a", "b").find("variables"), std::string::npos);
    EXPECT_EQ(objection("X-A", "topsecret$a").find("topsecret"),
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
