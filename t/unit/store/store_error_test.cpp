// SPDX-License-Identifier: Apache-2.0
#include "store/store_error.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

TEST(StoreError, HasAdvice)
{
    EXPECT_TRUE(advice_of_store_error("READONLY").reconnect);
    EXPECT_TRUE(advice_of_store_error("OOM").operator_fault);
    EXPECT_FALSE(advice_of_store_error("OOM").reconnect);
    EXPECT_STREQ(advice_of_store_error("ERR").advice, "");
}

}  // namespace
}  // namespace x402
