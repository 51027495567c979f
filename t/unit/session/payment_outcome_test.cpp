// SPDX-License-Identifier: Apache-2.0
#include "session/payment_outcome.hpp"

#include <string>

#include <gtest/gtest.h>

namespace x402 {
namespace {

std::string word_of(PaymentState state, ReplyKind reply = ReplyKind::none,
                    bool accepted = false)
{
    OutcomeFacts facts;
    facts.state = state;
    facts.reply = reply;
    facts.accepted = accepted;
    return outcome_word(facts);
}

TEST(PaymentOutcome, SaysMoneyThatMovedWhateverElseHappened)
{
    OutcomeFacts facts;
    facts.money_moved = true;
    for (int state = 0; state <= static_cast<int>(kLastState); state++) {
        for (ReplyKind reply :
             {ReplyKind::none, ReplyKind::challenge, ReplyKind::refusal,
              ReplyKind::fault, ReplyKind::unknown}) {
            facts.state = static_cast<PaymentState>(state);
            facts.reply = reply;
            EXPECT_STREQ(outcome_word(facts), "settled");
        }
    }
}

TEST(PaymentOutcome, NamesTheAnswerThatWasGiven)
{
    EXPECT_EQ(word_of(PaymentState::closed, ReplyKind::challenge),
              "challenged");
    EXPECT_EQ(word_of(PaymentState::closed, ReplyKind::refusal, true),
              "refused");
    EXPECT_EQ(word_of(PaymentState::closed, ReplyKind::fault, true), "failed");
    EXPECT_EQ(word_of(PaymentState::closed, ReplyKind::unknown, true),
              "unknown");
}

TEST(PaymentOutcome, NamesTheStateWhereNoAnswerOfOursIs)
{
    EXPECT_EQ(word_of(PaymentState::arrived), "");
    EXPECT_EQ(word_of(PaymentState::verifying), "failed");
    EXPECT_EQ(word_of(PaymentState::verified, ReplyKind::none, true),
              "verified");
    EXPECT_EQ(word_of(PaymentState::holding, ReplyKind::none, true),
              "verified");
    EXPECT_EQ(word_of(PaymentState::settling, ReplyKind::none, true),
              "unknown");
    EXPECT_EQ(word_of(PaymentState::settling_first), "unknown");
    EXPECT_EQ(word_of(PaymentState::orphaned), "unknown");
    // Content has left, and the ledger says what becomes of its settlement.
    EXPECT_EQ(word_of(PaymentState::streaming), "verified");
    EXPECT_EQ(word_of(PaymentState::charging), "verified");
    EXPECT_EQ(word_of(PaymentState::closed), "failed");
    EXPECT_EQ(word_of(PaymentState::closed, ReplyKind::none, true), "verified");
}

TEST(PaymentOutcome, IsFreeOnlyOnceSomebodyWasLetIn)
{
    OutcomeFacts facts;
    EXPECT_STREQ(outcome_word(facts), "");
    facts.let_in = true;
    EXPECT_STREQ(outcome_word(facts), "free");
    facts.bypassed = true;
    EXPECT_STREQ(outcome_word(facts), "bypassed");
    facts.let_in = false;
    EXPECT_STREQ(outcome_word(facts), "");
    facts.state = PaymentState::verified;
    EXPECT_STREQ(outcome_word(facts), "verified");
}

}  // namespace
}  // namespace x402
