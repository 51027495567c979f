#include "session/payment_outcome.hpp"

#include <string>

#include <gtest/gtest.h>

namespace x402 {
namespace {

std::string word_of(State state, Reply reply = Reply::none,
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
        for (Reply reply : {Reply::none, Reply::challenge, Reply::refusal,
                            Reply::fault, Reply::unknown}) {
            facts.state = static_cast<State>(state);
            facts.reply = reply;
            EXPECT_STREQ(outcome_word(facts), "settled");
        }
    }
}

TEST(PaymentOutcome, NamesTheAnswerThatWasGiven)
{
    EXPECT_EQ(word_of(State::closed, Reply::challenge), "challenged");
    EXPECT_EQ(word_of(State::closed, Reply::refusal, true), "refused");
    EXPECT_EQ(word_of(State::closed, Reply::fault, true), "failed");
    EXPECT_EQ(word_of(State::closed, Reply::unknown, true), "unknown");
}

TEST(PaymentOutcome, NamesTheStateWhereNoAnswerOfOursIs)
{
    EXPECT_EQ(word_of(State::arrived), "");
    EXPECT_EQ(word_of(State::verifying), "failed");
    EXPECT_EQ(word_of(State::verified, Reply::none, true), "verified");
    EXPECT_EQ(word_of(State::holding, Reply::none, true), "verified");
    EXPECT_EQ(word_of(State::settling, Reply::none, true), "unknown");
    EXPECT_EQ(word_of(State::settling_first), "unknown");
    EXPECT_EQ(word_of(State::orphaned), "unknown");
    EXPECT_EQ(word_of(State::closed), "failed");
    EXPECT_EQ(word_of(State::closed, Reply::none, true), "verified");
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
    facts.state = State::verified;
    EXPECT_STREQ(outcome_word(facts), "verified");
}

}  // namespace
}  // namespace x402
