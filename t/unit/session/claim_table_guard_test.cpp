// SPDX-License-Identifier: Apache-2.0
// Payments that no chain protects from being used twice keep their cells.
#include "session/claim_table.hpp"

#include "session/claim_zone.hpp"

namespace x402 {
namespace {

using ClaimTableGuard = ClaimZone;

TEST_F(ClaimTableGuard, KeepsWhatOnlyItGuards)
{
    ClaimRef ref;
    for (unsigned number = 0; number < kSmallTableClaims; ++number) {
        ClaimFacts facts = facts_of(number);
        facts.only_guard = number != 5;
        facts.expires = kExpires + number;
        ASSERT_EQ(table_.take(facts, owner_, kNow, ref), TakeOutcome::taken);
        ASSERT_TRUE(table_.set_paid(ref, "receipt", kNow));
        table_.set_delivered(ref, kNow + number);
    }
    // The fifth has a chain behind it: its cell goes, and it stays used.
    take(99, kExpires - 1);
    EXPECT_EQ(try_take(5, ref, kExpires - 1), TakeOutcome::in_use);
    EXPECT_EQ(try_take(100, ref, kExpires - 1), TakeOutcome::full);
    take(100, kExpires);
    EXPECT_EQ(state(0), ClaimState::free) << "its time is over";
    EXPECT_EQ(try_take(101, ref, kExpires), TakeOutcome::full);
    EXPECT_EQ(state(1), ClaimState::delivered);
}

}  // namespace
}  // namespace x402
