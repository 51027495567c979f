// SPDX-License-Identifier: Apache-2.0
#include "session/slot_quota.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

Digest holder(unsigned number)
{
    Digest digest{};
    digest[0] = static_cast<std::uint8_t>(number);
    digest[1] = static_cast<std::uint8_t>(number >> 8);
    return digest;
}

TEST(SlotQuota, IsAsLargeAsTheCallerSays)
{
    SlotQuota share;
    for (int count = 0; count < 256; ++count) {
        EXPECT_TRUE(share.acquire(holder(1), 256));
    }
    EXPECT_FALSE(share.acquire(holder(1), 256));
    EXPECT_TRUE(share.acquire(holder(2), 256)) << "another holder";
    EXPECT_FALSE(share.acquire(holder(1), 256));
    EXPECT_TRUE(share.acquire(holder(1), 257)) << "more places";
}

TEST(SlotQuota, IsAtLeastOnePlace)
{
    SlotQuota share;
    for (std::size_t most : {0, 1}) {
        EXPECT_TRUE(share.acquire(holder(1), most)) << most;
        EXPECT_FALSE(share.acquire(holder(1), most)) << most;
        share.release(holder(1));
    }
}

TEST(SlotQuota, IsGivenBack)
{
    SlotQuota share;
    EXPECT_TRUE(share.acquire(holder(1), 2));
    EXPECT_TRUE(share.acquire(holder(1), 2));
    EXPECT_FALSE(share.acquire(holder(1), 2));
    share.release(holder(1));
    EXPECT_TRUE(share.acquire(holder(1), 2));
}

TEST(SlotQuota, RemembersNobodyWhoHoldsNothing)
{
    SlotQuota share;
    for (unsigned number = 0; number < 1000; ++number) {
        EXPECT_TRUE(share.acquire(holder(number), 4));
    }
    EXPECT_EQ(share.holders(), 1000u);
    for (unsigned number = 0; number < 1000; ++number) {
        share.release(holder(number));
    }
    EXPECT_EQ(share.holders(), 0u);
    share.release(holder(1));  // never entered: nothing
    EXPECT_TRUE(share.acquire(holder(1), 1));
}

// All payers take what they can get, round after round, and none lets go.
std::size_t left_of(std::size_t places, unsigned payers)
{
    SlotQuota share;
    std::size_t held = 0;
    for (bool some = true; some;) {
        some = false;
        for (unsigned number = 0; number < payers && held < places; ++number) {
            if (share.acquire(holder(number),
                              waiting_share_of_payer(places - held))) {
                held++;
                some = true;
            }
        }
    }
    return places - held;
}

TEST(SlotQuota, LeavesPlacesForPayersThatHoldNone)
{
    EXPECT_GT(left_of(896, 1), 700u);
    EXPECT_GT(left_of(896, 28), 150u);
    EXPECT_GT(left_of(896, 100), 50u);
    EXPECT_GT(left_of(896, 800), 8u);
}

// Each has one place at least, so that many holders need a bound of their own.
TEST(SlotQuota, LeavesAnEighthToOthersWhateverTheNumberOfHolders)
{
    auto held_by_many = [](std::size_t room, bool verified) {
        std::size_t held = 0;
        while (held < room
               && may_wait_for_content(room - held - 1, room, verified)) {
            held++;
        }
        return held;
    };
    EXPECT_EQ(held_by_many(896, true), 784u);
    EXPECT_EQ(held_by_many(896, false), 448u);
    // A small shop still serves.
    EXPECT_EQ(held_by_many(1, true), 1u);
    EXPECT_EQ(held_by_many(1, false), 1u);
    EXPECT_EQ(held_by_many(2, false), 1u);
}

TEST(SlotQuota, OfAnAddressIsHalfOfThePlacesAtMost)
{
    SlotQuota share;
    std::size_t held = 0;
    while (share.acquire(holder(1), waiting_share_of_address(896 - held))) {
        held++;
    }
    EXPECT_EQ(held, 448u);
}

}  // namespace
}  // namespace x402
