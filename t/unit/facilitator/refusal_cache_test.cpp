// SPDX-License-Identifier: Apache-2.0
#include "facilitator/refusal_cache.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

constexpr std::string_view kReason = "invalid_exact_evm_payload_signature";

TEST(RefusalCache, RemembersForAMinute)
{
    RefusalCache cache;
    EXPECT_TRUE(cache.is_empty(1000));
    EXPECT_EQ(cache.find(sha256("a"), 1000), "");
    cache.remember(sha256("a"), kReason, 1000);
    EXPECT_FALSE(cache.is_empty(1059));
    EXPECT_EQ(cache.find(sha256("a"), 1059), kReason);
    EXPECT_EQ(cache.find(sha256("b"), 1059), "");
    EXPECT_EQ(cache.find(sha256("a"), 1060), "");
    EXPECT_TRUE(cache.is_empty(1060));
}

TEST(RefusalCache, DoesNotLastLongerWhenTheClockIsSetBack)
{
    RefusalCache cache;
    cache.remember(sha256("a"), kReason, 1000);
    EXPECT_EQ(cache.find(sha256("a"), 999), "");
}

TEST(RefusalCache, KeepsOnlyWhatCannotHeal)
{
    RefusalCache cache;
    for (std::string_view reason :
         {"insufficient_funds", "expired", "", "a reason of tomorrow",
          "invalid_exact_evm_payload_authorization_valid_after",
          "invalid_exact_evm_nonce_already_used"}) {
        cache.remember(sha256(reason), reason, 1000);
        EXPECT_EQ(cache.find(sha256(reason), 1000), "") << reason;
    }
    EXPECT_TRUE(cache.is_empty(1000));
}

TEST(RefusalCache, GivesThePlaceToWhoCameLast)
{
    Digest one{};
    Digest other{};
    other[31] = 1;  // of the same place
    RefusalCache cache;
    cache.remember(one, kReason, 1000);
    cache.remember(other, "invalid_scheme", 1001);
    EXPECT_EQ(cache.find(one, 1001), "");
    EXPECT_EQ(cache.find(other, 1001), "invalid_scheme");
}

}  // namespace
}  // namespace x402
