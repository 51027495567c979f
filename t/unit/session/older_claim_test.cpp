// SPDX-License-Identifier: Apache-2.0
#include "session/older_claim.hpp"

#include "session/claim_zone.hpp"

namespace x402 {
namespace {

// The n-th payments of these tests have one payer and one resource.
class OlderClaimOf : public ClaimZone {
protected:
    OlderClaim older(ClaimRef own, std::int64_t now = kNow)
    {
        ClaimFacts facts = facts_of(2);
        return take_older(table_, {facts.payer, facts.binding}, own, owner_,
                          now);
    }
};

TEST_F(OlderClaimOf, NoneIsANewPurchase)
{
    ClaimRef own = take(2);
    EXPECT_EQ(older(own).kind, OlderClaim::Kind::none);
    EXPECT_EQ(state(2), ClaimState::verifying);
}

TEST_F(OlderClaimOf, OwedContentIsTakenForTheNewPayment)
{
    owed(1);
    OlderClaim found = older(take(2));
    EXPECT_EQ(found.kind, OlderClaim::Kind::owed);
    EXPECT_EQ(found.claim.receipt, "receipt");
    EXPECT_EQ(state(2), ClaimState::free);
    EXPECT_TRUE(look(1).in_use);
}

TEST_F(OlderClaimOf, AnUnknownOutcomeIsAskedAboutFirstForAMinute)
{
    ClaimRef ref = unknown(1);
    ClaimRef own = take(2);
    OlderClaim found = older(own, kNow + 59);
    EXPECT_EQ(found.kind, OlderClaim::Kind::unknown);
    EXPECT_EQ(found.left, 1);
    EXPECT_EQ(older(own, kNow + 60).kind, OlderClaim::Kind::none);

    EXPECT_TRUE(take_unknown(table_, ref, own, owner_));
    EXPECT_EQ(state(2), ClaimState::free);
    ClaimRef third = take(3);
    EXPECT_EQ(older(third).kind, OlderClaim::Kind::in_use);
    EXPECT_FALSE(take_unknown(table_, ref, third, owner_));
    EXPECT_EQ(state(3), ClaimState::verifying);
}

}  // namespace
}  // namespace x402
