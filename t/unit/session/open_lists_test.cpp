// SPDX-License-Identifier: Apache-2.0
// Claims that are found without their payment: what a payer is owed, and which
// unknown outcomes are due.
#include "session/claim_table.hpp"

#include "session/claim_zone.hpp"

namespace x402 {
namespace {

class ClaimOwed : public ClaimZone {
protected:
    static Purchase purchase(std::uint8_t price = 100)
    {
        ClaimFacts facts = facts_of(0);
        Purchase purchase{facts.payer, facts.binding};
        purchase.binding.asked = {};
        purchase.binding.asked[31] = price;
        return purchase;
    }

    bool resume_owed(const Purchase &what, ClaimView &claim,
                     std::int64_t now = kNow)
    {
        return table_.resume_owed(what, owner_, now, claim);
    }
};

TEST_F(ClaimOwed, IsFoundByPayerAndResourceOnce)
{
    ClaimView claim;
    EXPECT_FALSE(resume_owed(purchase(), claim));
    ClaimRef ref = owed(1);
    EXPECT_TRUE(resume_owed(purchase(), claim));
    EXPECT_EQ(claim.ref.generation, ref.generation);
    EXPECT_EQ(claim.receipt, "receipt");
    EXPECT_EQ(claim.executions, 2u);
    EXPECT_TRUE(claim.in_use);
    EXPECT_FALSE(resume_owed(purchase(), claim)) << "somebody has it";
    table_.set_owed(ref);
    EXPECT_TRUE(resume_owed(purchase(), claim));
    table_.set_owed(ref);
    EXPECT_FALSE(resume_owed(purchase(), claim)) << "three executions";
}

TEST_F(ClaimOwed, IsSeenWithoutBeingTaken)
{
    EXPECT_FALSE(table_.has_older(purchase(), kNow));
    ClaimRef ref = owed(1);
    EXPECT_TRUE(table_.has_older(purchase(), kNow));
    EXPECT_FALSE(table_.has_older(purchase(101), kNow));
    ClaimView claim;
    ASSERT_TRUE(resume_owed(purchase(), claim));
    EXPECT_EQ(claim.key, digest_of(1));
    EXPECT_FALSE(table_.has_older(purchase(), kNow)) << "somebody has it";
    table_.set_delivered(ref, kNow);
    EXPECT_FALSE(table_.has_older(purchase(), kNow));

    ref = unknown(2);
    EXPECT_TRUE(table_.has_older(purchase(), kNow));
    ASSERT_TRUE(table_.resume(ref, owner_));
    table_.set_settling(ref, "settle", 7, kNow);
    EXPECT_TRUE(table_.has_older(purchase(), kNow)) << "it is asked again";
    EXPECT_FALSE(table_.has_older(purchase(), kExpires));

    settle(3);
    table_.set_refused(ref, kNow);
    EXPECT_FALSE(table_.has_older(purchase(), kNow)) << "a first settle";
}

TEST_F(ClaimOwed, CoversTheSameResourceAtNoLess)
{
    owed(1);
    ClaimView claim;
    Purchase other = purchase();
    other.payer[0] ^= 1;
    EXPECT_FALSE(resume_owed(other, claim));
    other = purchase();
    other.binding.resource[31] ^= 1;
    EXPECT_FALSE(resume_owed(other, claim));
    other = purchase();
    other.binding.terms[5] ^= 1;
    EXPECT_FALSE(resume_owed(other, claim));
    EXPECT_FALSE(resume_owed(purchase(101), claim));
    EXPECT_FALSE(resume_owed(purchase(), claim, kExpires));
    EXPECT_TRUE(resume_owed(purchase(99), claim));
}

TEST_F(ClaimOwed, IsWhatNobodyDelivers)
{
    ClaimView claim;
    ClaimRef ref = settle(1);
    EXPECT_TRUE(table_.set_paid(ref, "receipt", kNow));
    EXPECT_FALSE(resume_owed(purchase(), claim));
    table_.set_delivered(ref, kNow);
    EXPECT_FALSE(resume_owed(purchase(), claim));
    ClaimRef dead = settle(2);
    EXPECT_TRUE(table_.set_paid(dead, "receipt", kNow));
    living_processes() = {101};
    ClaimTable other(memory_.data(), process_lives);
    ClaimOwner owner = other.attach(101, kNow);
    EXPECT_TRUE(other.resume_owed(purchase(), owner, kNow, claim));
    EXPECT_EQ(claim.ref.generation, dead.generation);
}

TEST_F(ClaimOwed, IsTheOldestFirstAndAllOfThem)
{
    ClaimRef refs[] = {owed(1), owed(2), owed(3)};
    unknown(4);
    ClaimView claim;
    for (ClaimRef ref : refs) {
        ASSERT_TRUE(resume_owed(purchase(), claim));
        EXPECT_EQ(claim.ref.generation, ref.generation);
        table_.set_delivered(claim.ref, kNow);
    }
    EXPECT_FALSE(resume_owed(purchase(), claim));
}

TEST_F(ClaimOwed, AnUnknownClaimIsFoundWhileItIsAskedAgain)
{
    EXPECT_EQ(table_.find_unknown(purchase(), kNow).state, ClaimState::free);
    ClaimRef ref = settle(1);
    EXPECT_EQ(table_.find_unknown(purchase(), kNow).state, ClaimState::free);
    table_.set_unknown(ref, kNow + 9);
    ClaimView claim = table_.find_unknown(purchase(), kNow + 9);
    EXPECT_EQ(claim.state, ClaimState::unknown);
    EXPECT_EQ(claim.settle_started, kNow);
    EXPECT_FALSE(claim.in_use);
    EXPECT_EQ(table_.find_unknown(purchase(101), kNow).state, ClaimState::free);
    EXPECT_TRUE(table_.resume(ref, owner_));
    table_.set_settling(ref, "again", 7, kNow + 10);
    claim = table_.find_unknown(purchase(), kNow + 10);
    EXPECT_EQ(claim.state, ClaimState::settling);
    EXPECT_TRUE(claim.in_use);
    table_.free(ref);
    EXPECT_EQ(table_.find_unknown(purchase(), kNow).state, ClaimState::free);
}

TEST_F(ClaimOwed, AClaimThatWasNeverVerifiedIsNotAnOlderOneUntilItIsPaid)
{
    ClaimRef ref = take(1);
    EXPECT_TRUE(table_.set_settling(ref, "settle", 7, kNow));
    table_.set_unknown(ref, kNow);
    EXPECT_FALSE(table_.has_older(purchase(), kNow));
    EXPECT_EQ(table_.find_unknown(purchase(), kNow).state, ClaimState::free);
    EXPECT_TRUE(table_.resume(ref, owner_));
    EXPECT_TRUE(table_.set_settling(ref, "settle", 7, kNow));
    EXPECT_FALSE(table_.has_older(purchase(), kNow));
    EXPECT_TRUE(table_.set_paid(ref, "receipt", kNow));
    table_.set_owed(ref);
    EXPECT_TRUE(table_.has_older(purchase(), kNow)) << "money moved";
}

class ClaimDue : public ClaimOwed {
protected:
    using Kind = DueClaim::Kind;

    Kind due(std::int64_t now, ClaimRef *ref = nullptr)
    {
        DueClaim found = table_.next_due(owner_, now);
        if (ref) {
            *ref = found.ref;
        }
        return found.kind;
    }
};

TEST_F(ClaimDue, AfterFiveSecondsAndThreeTimesAsLongEachTime)
{
    ClaimRef ref = unknown(1);
    std::int64_t now = kNow;
    for (std::int64_t delay : {5, 15, 45, 135}) {
        ASSERT_EQ(due(now + delay - 1), Kind::nothing) << delay;
        ClaimRef found;
        ASSERT_EQ(due(now + delay, &found), Kind::ask_again) << delay;
        EXPECT_EQ(found.generation, ref.generation);
        EXPECT_EQ(due(now + delay), Kind::nothing) << "one worker only";
        now += delay;
        table_.set_settling(ref, "settle", 7, now);
        EXPECT_EQ(due(now + 100000), Kind::nothing) << "being settled";
        table_.set_unknown(ref, now);
    }
}

TEST_F(ClaimDue, UntilItsPaymentIsUselessAndThenClosedOnce)
{
    ClaimRef ref = unknown(1);
    ClaimRef found;
    EXPECT_EQ(due(kExpires - kAfterlife), Kind::nothing);
    EXPECT_EQ(due(kExpires - 1), Kind::nothing);
    EXPECT_EQ(due(kExpires, &found), Kind::closed);
    EXPECT_EQ(found.generation, ref.generation);
    EXPECT_EQ(due(kExpires), Kind::nothing);
    EXPECT_EQ(state(1, kExpires), ClaimState::closed);
}

TEST_F(ClaimDue, ClosedIsToldThoughSomebodyLookedBefore)
{
    unknown(1);
    EXPECT_EQ(state(1, kExpires), ClaimState::closed);
    EXPECT_EQ(due(kExpires), Kind::closed);
    EXPECT_EQ(due(kExpires), Kind::nothing);
}

TEST_F(ClaimDue, WithoutItsSettleBytesOnlyWhenItIsClosed)
{
    unknown(1, text_of_size(kSmallTableBlocks * kBlockPayload + 1));
    EXPECT_EQ(due(kNow + 100), Kind::nothing);
    EXPECT_EQ(due(kExpires), Kind::closed);
}

TEST_F(ClaimDue, WhatADeadWorkerWasSettling)
{
    settle(1);
    living_processes() = {101};
    ClaimTable other(memory_.data(), process_lives);
    ClaimOwner owner = other.attach(101, kNow);
    EXPECT_EQ(other.next_due(owner, kNow + 4).kind, Kind::nothing);
    EXPECT_EQ(other.next_due(owner, kNow + 5).kind, Kind::ask_again);
}

TEST_F(ClaimDue, AllOfThemInTurn)
{
    for (unsigned number = 0; number < 8; ++number) {
        unknown(number);
    }
    std::set<std::uint64_t> found;
    ClaimRef ref;
    while (due(kNow + 5, &ref) == Kind::ask_again) {
        found.insert(ref.generation);
    }
    EXPECT_EQ(found.size(), 4u) << "as many as have their settle bytes";
}

TEST_F(ClaimDue, LedgerTextsAreKeptIfTheyFit)
{
    ClaimRef ref = take(1);
    table_.set_texts(ref, "eip155:84532", "0xpayer", "0xasset");
    ClaimTexts texts = table_.texts(ref);
    EXPECT_EQ(texts.network, "eip155:84532");
    EXPECT_EQ(texts.payer, "0xpayer");
    EXPECT_EQ(texts.asset, "0xasset");
    EXPECT_EQ(texts.amount, "100");
    table_.set_texts(ref, "n", std::string(128, 'p'), std::string(127, 'a'));
    texts = table_.texts(ref);
    EXPECT_EQ(texts.network, "n");
    EXPECT_EQ(texts.payer, "");
    EXPECT_EQ(texts.asset, std::string(127, 'a'));
    table_.free(ref);
    EXPECT_EQ(table_.texts(ref).network, "");
}

}  // namespace
}  // namespace x402
