// SPDX-License-Identifier: Apache-2.0
#include "session/nonce_table.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace x402 {
namespace {

constexpr std::int64_t kNow = 1800000000;
constexpr std::int64_t kUntil = kNow + 360;
constexpr std::size_t kBytes = 64 * 1024;

class NonceTableOf : public testing::Test {
protected:
    NonceTableOf() { NonceTable::format(memory_.data(), kBytes); }

    NonceUse use(unsigned number, std::int64_t now = kNow,
                 NonceOf whose = NonceOf::payer)
    {
        return NonceTable(memory_.data())
            .use(sha256(std::to_string(number)), now, now + 360, now, whose);
    }

    std::vector<std::uint64_t> memory_ = std::vector<std::uint64_t>(kBytes / 8);
};

TEST_F(NonceTableOf, KnowsWhatWasUsed)
{
    EXPECT_TRUE(NonceTable::recognises(memory_.data(), kBytes));
    EXPECT_FALSE(NonceTable::recognises(memory_.data(), kBytes - 8));
    EXPECT_EQ(use(1), NonceUse::first);
    EXPECT_EQ(use(1), NonceUse::again);
    EXPECT_EQ(use(1, kUntil - 1), NonceUse::again);
    EXPECT_EQ(use(1, kUntil), NonceUse::first);
}

// A restart forgets what was used: copies of it must not be good again.
TEST_F(NonceTableOf, TakesNothingThatIsOlderThanItself)
{
    NonceTable table(memory_.data());
    table.begin(kNow);
    EXPECT_EQ(use(1, kNow - 1), NonceUse::again);
    // Whether it was used in that second, is not known either.
    EXPECT_EQ(use(1, kNow), NonceUse::again);
    EXPECT_EQ(use(1, table.moment(kNow)), NonceUse::first);
}

TEST_F(NonceTableOf, IssuesNoncesThatItTakes)
{
    NonceTable table(memory_.data());
    table.begin(kNow);
    EXPECT_EQ(table.moment(kNow - kRestartSeconds), kNow + 1);
    EXPECT_EQ(table.moment(kNow), kNow + 1);
    EXPECT_EQ(table.moment(kNow + 1), kNow + 1);
    EXPECT_EQ(table.moment(kNow + 9), kNow + 9);
    // The clock was set back: no nonce is from so far ahead.
    EXPECT_EQ(table.moment(kNow - 3600), kNow - 3600);
}

// A stranger that signs as fast as it can.
TEST_F(NonceTableOf, HasRoomForOneAByte)
{
    unsigned number = 0;
    unsigned mistaken = 0;
    NonceUse outcome;
    while ((outcome = use(number)) != NonceUse::no_room) {
        mistaken += outcome == NonceUse::again ? 1 : 0;
        number++;
    }
    EXPECT_GT(number, kBytes - 200);
    EXPECT_LT(mistaken, number / 20);
    for (unsigned i = 0; i < number; i++) {
        ASSERT_EQ(use(i), NonceUse::again) << i;
    }
    EXPECT_EQ(use(number + 1, kUntil), NonceUse::first);
}

// However many of them there are, payers sign in.
TEST_F(NonceTableOf, KeepsRoomThatStrangersDoNotUse)
{
    unsigned number = 0;
    while (use(number, kNow, NonceOf::unknown_payer) != NonceUse::no_room) {
        ASSERT_LT(number++, kBytes);
    }
    EXPECT_GT(number, kBytes / 2 - 200);
    EXPECT_EQ(use(1, kNow, NonceOf::unknown_payer), NonceUse::again);
    unsigned payers = 0;
    for (unsigned i = 0; i < kBytes / 2 - 200; i++) {
        NonceUse outcome = use(number + i);
        ASSERT_NE(outcome, NonceUse::no_room) << i;
        payers += outcome == NonceUse::first ? 1 : 0;
    }
    EXPECT_GT(payers, kBytes / 2 * 9 / 10);
    // The sheet of the strangers is empty again, and the payers' is not.
    EXPECT_EQ(use(number + kBytes, kUntil, NonceOf::unknown_payer),
              NonceUse::first);
}

}  // namespace
}  // namespace x402
