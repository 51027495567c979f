#include "protocol/preflight_words.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

const std::string kKnown = "PAYMENT-SIGNATURE, X-PAYMENT, SIGN-IN-WITH-X, "
                           "Content-Type, Access-Control-Expose-Headers";

TEST(PreflightWords, TokensAreNames)
{
    EXPECT_TRUE(is_http_token("x-api-key"));
    EXPECT_TRUE(is_http_token("!#$%&'*+-.^_`|~09azAZ"));
    for (std::string_view text :
         {"", " ", "a b", "a,b", "a:b", "\"a\"", "a\r\nb", "\xc3\xa9", "(a)"}) {
        EXPECT_FALSE(is_http_token(text)) << text;
    }
    EXPECT_FALSE(is_http_token(std::string_view("a\0b", 3)));
}

TEST(PreflightWords, WhatClientsSendIsAlwaysAllowed)
{
    EXPECT_EQ(allowed_header_names(""), kKnown);
}

TEST(PreflightWords, WhatIsAskedForIsAddedOnce)
{
    EXPECT_EQ(allowed_header_names("authorization"),
              kKnown + ", authorization");
    EXPECT_EQ(allowed_header_names("x-a , \tx-b,x-A,payment-signature"),
              kKnown + ", x-a, x-b");
}

TEST(PreflightWords, WhatIsNoListIsLeftOutAsAWhole)
{
    for (std::string_view asked :
         {",x-a", "x-a,,x-b", "x-a x-b", "x-a;q=1", " ", "x-a: b"}) {
        EXPECT_EQ(allowed_header_names(asked), kKnown) << asked;
    }
    EXPECT_EQ(allowed_header_names("x-a," + std::string(1021, 'b')), kKnown);
    EXPECT_EQ(allowed_header_names("x-a," + std::string(1020, 'b')),
              kKnown + ", x-a, " + std::string(1020, 'b'));
}

}  // namespace
}  // namespace x402
