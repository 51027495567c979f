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
    EXPECT_STREQ(advice_of_store_error("").advice, "");
    EXPECT_STREQ(advice_of_store_error("OOMS of something").advice, "");
    EXPECT_TRUE(
        advice_of_store_error("ERR max number of clients reached").reconnect);
}

TEST(StoreError, OfAScriptMayHaveDoneAPart)
{
    std::string place = " script: 8c887df9, on @user_script:10.";
    EXPECT_TRUE(did_nothing("OOM command not allowed"));
    EXPECT_FALSE(did_nothing("ERR something else"));
    // Redis 7.0, 7.2 and Valkey say that a right is missing in these words.
    for (std::string error :
         {"NOPERM this user has no permissions",
          "ERR The user executing the script can't run this command",
          "ERR ACL failure in script: User x402 has no permissions",
          "WRONGTYPE Operation against a key"}) {
        EXPECT_TRUE(advice_of_store_error(error).operator_fault) << error;
        EXPECT_TRUE(did_nothing(error)) << error;
        EXPECT_FALSE(did_nothing(error + place)) << error;
        EXPECT_EQ(store_error_text(error + place), error);
    }
}

}  // namespace
}  // namespace x402
