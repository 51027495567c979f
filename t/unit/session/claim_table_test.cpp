// SPDX-License-Identifier: Apache-2.0
#include "session/claim_table.hpp"

#include <cstring>

#include "session/claim_zone.hpp"
#include "session/payment_ids.hpp"

namespace x402 {
namespace {

class ClaimTableOf : public ClaimZone {};

TEST(ClaimTableFormat, NeedsItsLeastBytes)
{
    std::size_t least = ClaimTable::least_bytes();
    std::vector<std::uint64_t> memory(least / 8 + 1);
    EXPECT_FALSE(ClaimTable::format(memory.data(), 0));
    EXPECT_FALSE(ClaimTable::format(memory.data(), least - 1));
    EXPECT_FALSE(ClaimTable::recognises(memory.data(), least - 1));
    EXPECT_TRUE(ClaimTable::format(memory.data(), least));
    EXPECT_TRUE(ClaimTable::recognises(memory.data(), least));
    EXPECT_EQ(ClaimTable::capacity_of(least), kSmallTableClaims);
    EXPECT_EQ(ClaimTable(memory.data(), process_lives).capacity(),
              kSmallTableClaims);
}

TEST(ClaimTableFormat, HoldsMoreInMoreBytes)
{
    EXPECT_EQ(ClaimTable::capacity_of(0), 0u);
    std::size_t claims = ClaimTable::capacity_of(10 * 1024 * 1024);
    EXPECT_GT(claims, 9000u);
    EXPECT_LT(claims * 512, 10u * 1024 * 1024);
}

TEST(ClaimTableFormat, RecognisesThisLayoutAndSizeOnly)
{
    std::size_t least = ClaimTable::least_bytes();
    std::vector<std::uint64_t> memory(least / 8 + 1);
    EXPECT_FALSE(ClaimTable::recognises(memory.data(), least));
    ASSERT_TRUE(ClaimTable::format(memory.data(), least));
    EXPECT_FALSE(ClaimTable::recognises(memory.data(), least + 8));
    EXPECT_FALSE(ClaimTable::recognises(memory.data(), least - 8));

    auto *bytes = reinterpret_cast<unsigned char *>(memory.data());
    for (std::size_t place : {0u, 7u, 8u, 11u}) {  // magic, layout
        bytes[place] ^= 1;
        EXPECT_FALSE(ClaimTable::recognises(memory.data(), least)) << place;
        bytes[place] ^= 1;
    }
    EXPECT_TRUE(ClaimTable::recognises(memory.data(), least));
}

TEST_F(ClaimTableOf, NoPaymentsKnowsNone)
{
    ClaimView view = look(1);
    EXPECT_EQ(view.state, ClaimState::free);
    EXPECT_FALSE(view.ref);
    EXPECT_FALSE(view.in_use);
}

TEST_F(ClaimTableOf, OnePaymentGoesThroughItsStates)
{
    ClaimRef ref = take(1);
    EXPECT_EQ(state(1), ClaimState::verifying);
    EXPECT_TRUE(look(1).in_use);
    EXPECT_EQ(look(1).executions, 0u);
    EXPECT_FALSE(look(1).was_verified);

    table_.set_verified(ref);
    EXPECT_EQ(state(1), ClaimState::verified);
    EXPECT_TRUE(look(1).was_verified);
    EXPECT_EQ(look(1).executions, 1u);

    table_.set_settling(ref, "bytes", 42, kNow);
    EXPECT_EQ(state(1), ClaimState::settling);
    EXPECT_EQ(look(1).facilitator, 42u);
    EXPECT_FALSE(look(1).first_settle_sent);
    table_.set_first_settle_sent(ref);
    EXPECT_TRUE(look(1).first_settle_sent);

    EXPECT_TRUE(table_.set_paid(ref, "the receipt", kNow));
    EXPECT_EQ(state(1), ClaimState::paid);
    EXPECT_TRUE(look(1).in_use);
    EXPECT_EQ(look(1).receipt, "the receipt");
    EXPECT_EQ(look(1).executions, 1u);

    table_.set_delivered(ref, kNow);
    EXPECT_EQ(state(1), ClaimState::delivered);
    EXPECT_FALSE(look(1).in_use);
    EXPECT_EQ(look(1).receipt, "");
    EXPECT_FALSE(look(1).ever_unknown);
}

TEST_F(ClaimTableOf, TakenOnceIsNotTakenAgain)
{
    ClaimRef ref = take(1);
    ClaimRef second;
    auto second_take = [&] { return try_take(1, second); };
    EXPECT_EQ(second_take(), TakeOutcome::in_use);
    table_.set_verified(ref);
    EXPECT_EQ(second_take(), TakeOutcome::in_use);
    table_.set_settling(ref, "x", 1, kNow);
    EXPECT_EQ(second_take(), TakeOutcome::in_use);
    EXPECT_TRUE(table_.set_paid(ref, "r", kNow));
    EXPECT_EQ(second_take(), TakeOutcome::in_use);
    table_.set_owed(ref);
    EXPECT_EQ(second_take(), TakeOutcome::in_use);
    table_.set_delivered(ref, kNow);
    EXPECT_EQ(second_take(), TakeOutcome::in_use);
    EXPECT_FALSE(second);

    // Not even when it is useless by its date: the chain may be slower.
    EXPECT_EQ(try_take(1, second, kExpires + 1), TakeOutcome::in_use);
    unknown(2);
    EXPECT_EQ(try_take(2, second), TakeOutcome::in_use);
    EXPECT_EQ(try_take(2, second, kExpires), TakeOutcome::in_use);
    EXPECT_EQ(state(2, kExpires), ClaimState::closed);
}

TEST_F(ClaimTableOf, FreedAndRefusedPaymentsMayComeAgain)
{
    ClaimRef first = take(1);
    table_.free(first);
    EXPECT_EQ(state(1), ClaimState::free);
    ClaimRef second = take(1);
    EXPECT_NE(second.generation, first.generation);

    table_.set_verified(second);
    table_.set_settling(second, "x", 1, kNow);
    table_.set_refused(second, kNow);
    EXPECT_EQ(state(1), ClaimState::refused);
    EXPECT_FALSE(look(1).in_use);
    ClaimRef third = take(1);
    EXPECT_NE(third.generation, second.generation);
    ClaimView view = look(1);
    EXPECT_EQ(view.state, ClaimState::verifying);
    EXPECT_FALSE(view.was_verified);
    EXPECT_EQ(view.executions, 0u);
    EXPECT_EQ(view.facilitator, 0u);
}

TEST_F(ClaimTableOf, TellsWhoAsksAndForWhat)
{
    take(1);
    ClaimFacts facts = facts_of(1);
    EXPECT_TRUE(covers(table_.look_up(facts, kNow).binding, facts.binding));
    EXPECT_TRUE(table_.look_up(facts, kNow).same_client);
    facts.binding.resource[31] ^= 1;
    EXPECT_FALSE(covers(table_.look_up(facts, kNow).binding, facts.binding));
    EXPECT_TRUE(table_.look_up(facts, kNow).same_client);
    facts = facts_of(1);
    facts.redeliver_key[0] ^= 1;
    EXPECT_TRUE(covers(table_.look_up(facts, kNow).binding, facts.binding));
    EXPECT_FALSE(table_.look_up(facts, kNow).same_client);
}

TEST_F(ClaimTableOf, UnknownIsResumedByOneAndClosedByTime)
{
    ClaimRef ref = unknown(1);
    EXPECT_TRUE(look(1).ever_unknown);
    EXPECT_FALSE(look(1).in_use);
    EXPECT_TRUE(table_.resume(ref, owner_));
    EXPECT_TRUE(look(1).in_use);
    EXPECT_FALSE(table_.resume(ref, owner_));

    // While a request works on it, it is not closed; after that it is.
    EXPECT_EQ(state(1, kExpires), ClaimState::unknown);
    table_.set_unknown(ref, kNow);
    EXPECT_EQ(state(1, kExpires - 1), ClaimState::unknown);
    EXPECT_EQ(state(1, kExpires), ClaimState::closed);
    EXPECT_FALSE(table_.resume(ref, owner_));
}

TEST_F(ClaimTableOf, PaidIsExecutedThreeTimesAtMost)
{
    ClaimRef ref = owed(1);
    EXPECT_EQ(look(1).executions, 1u);
    for (unsigned executions : {2u, 3u}) {
        EXPECT_TRUE(table_.resume(ref, owner_));
        EXPECT_FALSE(table_.resume(ref, owner_)) << "in use";
        EXPECT_EQ(look(1).executions, executions);
        table_.set_owed(ref);
    }
    EXPECT_FALSE(table_.resume(ref, owner_));
    EXPECT_EQ(look(1).executions, kMaxExecutions);
    EXPECT_EQ(look(1).receipt, "receipt");
    EXPECT_FALSE(look(1).in_use);
}

TEST_F(ClaimTableOf, ASettlementFoundPaidLateCountsItsExecution)
{
    ClaimRef ref = unknown(1);
    EXPECT_TRUE(table_.resume(ref, owner_));
    table_.set_settling(ref, "settle", 7, kNow);
    EXPECT_TRUE(table_.set_paid(ref, "receipt", kNow));
    EXPECT_EQ(look(1).executions, 2u);  // once when verified, once now
    EXPECT_TRUE(look(1).ever_unknown);

    // Settled before content: the execution begins with PAID.
    ClaimRef before = take(2);
    table_.set_settling(before, "settle", 7, kNow);
    EXPECT_TRUE(table_.set_paid(before, "receipt", kNow));
    EXPECT_EQ(look(2).executions, 1u);
    EXPECT_FALSE(look(2).was_verified);
}

TEST_F(ClaimTableOf, ASettlementWithoutAClientCountsNoExecution)
{
    ClaimRef ref = unknown(1);
    EXPECT_TRUE(table_.resume(ref, owner_));
    table_.set_settling(ref, "settle", 7, kNow);
    EXPECT_TRUE(table_.set_paid(ref, "receipt", kNow, false));
    EXPECT_EQ(look(1).executions, 1u);  // when it was verified

    ClaimRef before = take(2);
    table_.set_settling(before, "settle", 7, kNow);
    EXPECT_TRUE(table_.set_paid(before, "receipt", kNow, false));
    EXPECT_EQ(look(2).executions, 0u);
}

TEST_F(ClaimTableOf, OnlyUnknownAndOwedAreResumed)
{
    ClaimRef verifying = take(1);
    EXPECT_FALSE(table_.resume(verifying, owner_));
    ClaimRef settling = settle(2);
    EXPECT_FALSE(table_.resume(settling, owner_));
    ClaimRef delivered = owed(3);
    table_.set_delivered(delivered, kNow);
    EXPECT_FALSE(table_.resume(delivered, owner_));
    ClaimRef refused = settle(4);
    table_.set_refused(refused, kNow);
    EXPECT_FALSE(table_.resume(refused, owner_));
    EXPECT_FALSE(table_.resume(ClaimRef(), owner_));
    EXPECT_EQ(state(3), ClaimState::delivered);
    EXPECT_EQ(state(4), ClaimState::refused);
}

TEST_F(ClaimTableOf, ABodyThatBrokeOffIsOwedAgain)
{
    ClaimRef ref = owed(1);
    EXPECT_TRUE(table_.resume(ref, owner_));
    table_.set_delivered(ref, kNow);
    table_.set_owed(ref);
    EXPECT_EQ(state(1), ClaimState::paid);
    EXPECT_FALSE(look(1).in_use);
    EXPECT_EQ(look(1).receipt, "receipt");
    EXPECT_TRUE(table_.resume(ref, owner_));
}

TEST_F(ClaimTableOf, AReceiptFitsOrIsRefused)
{
    ClaimRef ref = settle(1);
    EXPECT_FALSE(table_.set_paid(ref, std::string(257, 'r'), kNow));
    EXPECT_EQ(state(1), ClaimState::settling);
    EXPECT_TRUE(table_.set_paid(ref, std::string(256, 'r'), kNow));
    EXPECT_EQ(look(1).receipt, std::string(256, 'r'));
    EXPECT_EQ(look(1).executions, 1u);
}

// Half of the room is all that strangers and dead facilitators can fill.
TEST_F(ClaimTableOf, OpenClaimsUseHalfOfTheRoom)
{
    constexpr unsigned kHalf = kSmallTableClaims / 2;
    for (unsigned number = 0; number < kHalf; ++number) {
        if (number % 2) {
            take(number);
        } else {
            unknown(number);
        }
    }
    EXPECT_EQ(open_claims(table_), kHalf);
    ClaimRef ref;
    EXPECT_EQ(try_take(100, ref), TakeOutcome::full);
    // A payment that proves itself makes room for another stranger.
    table_.set_verified(look(1).ref);
    EXPECT_EQ(open_claims(table_), kHalf - 1);
    take(101);
    EXPECT_EQ(try_take(102, ref), TakeOutcome::full);
    EXPECT_TRUE(table_.resume(look(0).ref, owner_));
    table_.set_settling(look(0).ref, "again", 7, kNow);
    EXPECT_TRUE(table_.set_paid(look(0).ref, "r", kNow));
    take(102);
    table_.free(look(3).ref);
    table_.set_refused(look(5).ref, kNow);
    EXPECT_EQ(open_claims(table_), kHalf - 2);
}

TEST_F(ClaimTableOf, WhatTimeHasFinishedIsNotOpen)
{
    constexpr unsigned kHalf = kSmallTableClaims / 2;
    for (unsigned number = 0; number < kHalf; ++number) {
        unknown(number);
    }
    ClaimRef ref;
    EXPECT_EQ(try_take(100, ref, kExpires - 1), TakeOutcome::full);
    // They were not looked at; a caller that would be rejected does.
    EXPECT_EQ(try_take(100, ref, kExpires), TakeOutcome::taken);
    EXPECT_EQ(open_claims(table_), 1u);
}

TEST_F(ClaimTableOf, FullTurnsAwayWhileAllAreNeeded)
{
    for (unsigned number = 0; number < kSmallTableClaims; ++number) {
        if (number % 3 == 0) {
            verified(number);
        } else if (number % 3 == 1) {
            unknown(number);
        } else {
            owed(number);
        }
    }
    ClaimRef ref;
    EXPECT_EQ(try_take(100, ref), TakeOutcome::full);
    EXPECT_FALSE(ref);
    for (unsigned number = 0; number < kSmallTableClaims; ++number) {
        EXPECT_NE(state(number), ClaimState::free) << number;
    }
}

// Money: a delivered payment would buy once more from a facilitator that
// settles it again with success, so it stays used without its cell.
TEST_F(ClaimTableOf, GivesTheOldestFinishedClaimAway)
{
    for (unsigned number = 0; number < kSmallTableClaims; ++number) {
        ClaimRef ref = verified(number);
        std::int64_t when = kNow + 50 - number;
        if (number == 5 || number == 9) {
            table_.set_delivered(ref, when);
        } else if (number == 12 || number == 13) {
            table_.set_refused(ref, when);
        }
    }
    verified(100);
    EXPECT_EQ(state(13), ClaimState::free);
    verified(101);
    EXPECT_EQ(state(12), ClaimState::free);
    EXPECT_TRUE(look(9).ref);
    verified(102);
    EXPECT_TRUE(look(5).ref);
    verified(103);
    ClaimRef ref;
    for (unsigned used : {5u, 9u}) {
        EXPECT_FALSE(look(used).ref);
        EXPECT_EQ(state(used, kExpires - 1), ClaimState::delivered);
        EXPECT_EQ(try_take(used, ref, kExpires - 1), TakeOutcome::in_use);
        EXPECT_EQ(state(used, kExpires), ClaimState::free);
    }
    EXPECT_EQ(try_take(104, ref, kExpires - 1), TakeOutcome::full);
}

// Where only this table stands between a payment and its second use.
TEST_F(ClaimTableOf, NeverGivesAwayWhatNeverExpires)
{
    for (unsigned number = 0; number < kSmallTableClaims; number++) {
        ClaimFacts facts = facts_of(number);
        facts.expires = kNeverExpires;
        ClaimRef ref;
        ASSERT_EQ(table_.take(facts, owner_, kNow, ref), TakeOutcome::taken);
        ASSERT_TRUE(table_.set_paid(ref, "{}", kNow));
        table_.set_delivered(ref, kNow);
    }
    ClaimRef ref;
    std::int64_t much_later = kNow + 100000000;
    EXPECT_EQ(try_take(100, ref, much_later), TakeOutcome::full);
    EXPECT_EQ(state(0, much_later), ClaimState::delivered);
}

TEST_F(ClaimTableOf, PrefersWhatExpiredAndLeavesWhatIsInUse)
{
    for (unsigned number = 0; number < kSmallTableClaims; ++number) {
        ClaimFacts facts = facts_of(number);
        facts.expires = number == 7 || number == 8 ? kNow + 10 : kExpires;
        ClaimRef ref;
        ASSERT_EQ(table_.take(facts, owner_, kNow, ref), TakeOutcome::taken);
        table_.set_verified(ref);
        if (number == 3) {
            table_.set_delivered(ref, kNow);
        } else if (number == 7) {
            EXPECT_TRUE(table_.set_paid(ref, "r", kNow));
            table_.set_owed(ref);
        }
    }
    take(100, kNow + 10);  // number 7 is owed, but by now useless
    EXPECT_EQ(state(7, kNow + 10), ClaimState::free);
    EXPECT_EQ(state(3, kNow + 10), ClaimState::delivered);
    EXPECT_EQ(state(8, kNow + 10), ClaimState::verified);
    take(101, kExpires);
    EXPECT_EQ(state(3, kNow + 10), ClaimState::free);
    EXPECT_EQ(state(8, kNow + 10), ClaimState::verified);
}

TEST_F(ClaimTableOf, AStaleNameTouchesNoOtherClaim)
{
    ClaimRef stale = take(1);
    table_.free(stale);
    ClaimRef fresh = take(2);
    ASSERT_EQ(stale.cell, fresh.cell) << "the same cell, or nothing is proven";
    ASSERT_NE(stale.generation, fresh.generation);

    table_.set_verified(stale);
    table_.set_settling(stale, "other", 9, kNow);
    table_.set_first_settle_sent(stale);
    EXPECT_TRUE(table_.set_paid(stale, "other", kNow));
    table_.set_delivered(stale, kNow);
    table_.set_refused(stale, kNow);
    table_.set_unknown(stale, kNow);
    table_.set_owed(stale);
    table_.free(stale);
    EXPECT_FALSE(table_.resume(stale, owner_));
    EXPECT_EQ(table_.stored_settle(stale), "");
    EXPECT_FALSE(table_.settle_digest_is(stale, Digest{}));

    ClaimView view = look(2);
    EXPECT_EQ(view.state, ClaimState::verifying);
    EXPECT_EQ(view.ref.generation, fresh.generation);
    EXPECT_TRUE(view.in_use);
    EXPECT_FALSE(view.was_verified);
    EXPECT_FALSE(view.first_settle_sent);
    EXPECT_FALSE(view.ever_unknown);
    EXPECT_EQ(view.executions, 0u);
    EXPECT_EQ(view.facilitator, 0u);
}

TEST_F(ClaimTableOf, AStaleNameOfTheSamePaymentIsStaleToo)
{
    ClaimRef stale = settle(1);
    table_.set_refused(stale, kNow);
    ClaimRef fresh = settle(1);
    ASSERT_EQ(stale.cell, fresh.cell);
    table_.free(stale);
    EXPECT_EQ(state(1), ClaimState::settling);
    ClaimRef nowhere = fresh;
    nowhere.cell = 0xffffffff;
    table_.free(nowhere);
    EXPECT_EQ(state(1), ClaimState::settling);
}

// A name (payment-identifier) goes with its claim, and stays once it was paid.
class NamedClaims : public ClaimZone {
protected:
    NamedClaims()
        : names_memory_(PaymentIds::least_bytes() / 8),
          names_(names_memory_.data())
    {
        EXPECT_TRUE(
            PaymentIds::format(names_memory_.data(), names_memory_.size() * 8));
        table_.use_names(&names_);
    }

    ClaimRef named(unsigned number)
    {
        ClaimRef ref = verified(number);
        std::uint32_t place = 0;
        EXPECT_EQ(
            names_.note(digest_of(1), digest_of(number), kExpires, kNow, place),
            PaymentIdNote::noted);
        table_.set_name(ref, place);
        return ref;
    }

    bool is_free() { return !names_.holder_of(digest_of(1), kNow); }

    std::vector<std::uint64_t> names_memory_;
    PaymentIds names_;
};

TEST_F(NamedClaims, GiveTheirNameBackWithTheirClaim)
{
    table_.free(named(1));
    EXPECT_TRUE(is_free());
    ClaimRef ref = named(2);
    EXPECT_TRUE(table_.set_settling(ref, "settle", 7, kNow));
    EXPECT_FALSE(is_free());
    table_.set_refused(ref, kNow);
    EXPECT_TRUE(is_free());
    table_.abandon(named(3), kNow);
    EXPECT_TRUE(is_free());
    named(4);
    living_processes() = {};
    table_.detach(owner_, kNow);
    EXPECT_TRUE(is_free()) << "their worker is gone";
}

TEST_F(NamedClaims, KeepItOnceTheyWerePaid)
{
    ClaimRef ref = named(1);
    EXPECT_TRUE(table_.set_settling(ref, "settle", 7, kNow));
    table_.set_unknown(ref, kNow);
    EXPECT_FALSE(is_free()) << "in doubt";
    EXPECT_TRUE(table_.resume(ref, owner_));
    EXPECT_TRUE(table_.set_paid(ref, "receipt", kNow));
    table_.set_delivered(ref, kNow);
    unsigned number = 2;
    while (state(1) != ClaimState::free) {
        ClaimFacts facts = facts_of(number++);
        facts.expires = kExpires + 1;
        ClaimRef other;
        ASSERT_EQ(table_.take(facts, owner_, kExpires, other),
                  TakeOutcome::taken);
        table_.set_paid(other, "receipt", kExpires);
        table_.set_delivered(other, kExpires);
        ASSERT_LT(number, 1000u);
    }
    EXPECT_FALSE(is_free()) << "its claim was given up for another";
}

}  // namespace
}  // namespace x402
