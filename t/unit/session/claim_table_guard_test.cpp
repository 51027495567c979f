// SPDX-License-Identifier: Apache-2.0
// Payments that no chain protects from being used twice keep their cells.
#include "session/claim_table.hpp"

#include "session/claim_zone.hpp"

namespace x402 {
namespace {

using ClaimTableGuard = ClaimZone;

TEST_F(ClaimTableGuard, KeepsWhatOnlyItGuards)
{
    for (unsigned number = 0; number < kSmallTableClaims; ++number) {
        ClaimFacts facts = facts_of(number);
        facts.only_guard = number != 5;
        ClaimRef ref;
        ASSERT_EQ(table_.take(facts, owner_, kNow, ref), TakeOutcome::taken);
        ASSERT_TRUE(table_.set_paid(ref, "receipt", kNow));
        table_.set_delivered(ref, kNow + number);
    }
    take(100);
    EXPECT_EQ(state(5), ClaimState::free) << "the chain stands behind it";
    ClaimRef ref;
    EXPECT_EQ(try_take(101, ref), TakeOutcome::full);
    EXPECT_EQ(state(0), ClaimState::delivered);
    EXPECT_EQ(try_take(101, ref, kExpires), TakeOutcome::taken);
}

}  // namespace
}  // namespace x402
