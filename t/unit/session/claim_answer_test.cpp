// SPDX-License-Identifier: Apache-2.0
#include "session/claim_answer.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

ClaimView claim_in(ClaimState state, bool in_use = false)
{
    ClaimView claim;
    claim.state = state;
    claim.in_use = in_use;
    return claim;
}

ClaimPresenter buyer()
{
    ClaimPresenter presenter;
    presenter.same_purchase = true;
    presenter.without_body = true;
    return presenter;
}

TEST(ClaimAnswer, BeginsWhereNothingIsKnownOrThePaymentWasRefused)
{
    EXPECT_EQ(answer_of(claim_in(ClaimState::free), buyer()),
              ClaimAnswer::none);
    EXPECT_EQ(answer_of(claim_in(ClaimState::refused), buyer()),
              ClaimAnswer::none);
}

TEST(ClaimAnswer, GivesNothingToAnotherPurchase)
{
    for (int state = 0; state <= static_cast<int>(ClaimState::closed);
         state++) {
        for (bool in_use : {false, true}) {
            ClaimView claim = claim_in(static_cast<ClaimState>(state), in_use);
            ClaimAnswer answer = answer_of(claim, {});
            EXPECT_NE(answer, ClaimAnswer::deliver) << state;
            EXPECT_NE(answer, ClaimAnswer::ask_again) << state;
        }
    }
}

TEST(ClaimAnswer, DeliversWhatIsOwedToARequestWithoutABody)
{
    ClaimPresenter presenter = buyer();
    EXPECT_EQ(answer_of(claim_in(ClaimState::paid), presenter),
              ClaimAnswer::deliver);
    EXPECT_EQ(answer_of(claim_in(ClaimState::paid, true), presenter),
              ClaimAnswer::in_use);
    presenter.without_body = false;
    EXPECT_EQ(answer_of(claim_in(ClaimState::paid), presenter),
              ClaimAnswer::used);
    EXPECT_EQ(answer_of(claim_in(ClaimState::delivered), buyer()),
              ClaimAnswer::used);
    EXPECT_EQ(answer_of(claim_in(ClaimState::closed), buyer()),
              ClaimAnswer::used);
}

TEST(ClaimAnswer, AsksAgainOnceForAllThatWait)
{
    ClaimView claim = claim_in(ClaimState::unknown);
    ClaimPresenter presenter = buyer();
    EXPECT_EQ(answer_of(claim, presenter), ClaimAnswer::ask_again);
    EXPECT_EQ(answer_of(claim_in(ClaimState::unknown, true), presenter),
              ClaimAnswer::unknown);
    presenter.waited = true;
    EXPECT_EQ(answer_of(claim, presenter), ClaimAnswer::unknown);
    claim.abandoned = true;
    EXPECT_EQ(answer_of(claim, presenter), ClaimAnswer::ask_again);
}

TEST(ClaimAnswer, KnowsWhatIsWorthAWait)
{
    EXPECT_TRUE(is_in_flight(claim_in(ClaimState::verifying)));
    EXPECT_TRUE(is_in_flight(claim_in(ClaimState::verified)));
    EXPECT_TRUE(is_in_flight(claim_in(ClaimState::settling)));
    EXPECT_TRUE(is_in_flight(claim_in(ClaimState::unknown, true)));
    EXPECT_TRUE(is_in_flight(claim_in(ClaimState::paid, true)));
    EXPECT_FALSE(is_in_flight(claim_in(ClaimState::unknown)));
    EXPECT_FALSE(is_in_flight(claim_in(ClaimState::paid)));
    EXPECT_FALSE(is_in_flight(claim_in(ClaimState::delivered)));
}

TEST(ClaimAnswer, NamesTheStatesThatCanAnswer)
{
    EXPECT_TRUE(may_be_answered(claim_in(ClaimState::settling)));
    EXPECT_TRUE(may_be_answered(claim_in(ClaimState::unknown)));
    EXPECT_TRUE(may_be_answered(claim_in(ClaimState::paid)));
    EXPECT_FALSE(may_be_answered(claim_in(ClaimState::verified)));
    EXPECT_FALSE(may_be_answered(claim_in(ClaimState::delivered)));
}

}  // namespace
}  // namespace x402
