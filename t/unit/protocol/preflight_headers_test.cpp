// SPDX-License-Identifier: Apache-2.0
#include "protocol/preflight_headers.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

const std::string kKnown =
    "PAYMENT-SIGNATURE, X-PAYMENT, SIGN-IN-WITH-X, X402-Pass, "
    "Content-Type, Access-Control-Expose-Headers";

TEST(PreflightHeaders, WhatClientsSendIsAlwaysAllowed)
{
    EXPECT_EQ(allowed_header_names(""), kKnown);
}

TEST(PreflightHeaders, WhatIsAskedForIsAddedOnce)
{
    EXPECT_EQ(allowed_header_names("authorization"),
              kKnown + ", authorization");
    EXPECT_EQ(allowed_header_names("x-a , \tx-b,x-A,payment-signature"),
              kKnown + ", x-a, x-b");
}

TEST(PreflightHeaders, WhatIsNoListIsLeftOutAsAWhole)
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
