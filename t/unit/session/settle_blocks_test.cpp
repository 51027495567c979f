// SPDX-License-Identifier: Apache-2.0
// What the table keeps of a settle request, and what it counts by payer.
#include "session/claim_table.hpp"

#include "session/claim_zone.hpp"

namespace x402 {
namespace {

class SettleBytes : public ClaimZone {};

// Room for two requests of the largest size.
class RoomySettleBytes : public ClaimZone {
protected:
    RoomySettleBytes() : ClaimZone(512 * 1024) {}
};

TEST_F(SettleBytes, AreRecalledWhileTheOutcomeIsOpen)
{
    for (std::size_t size : {std::size_t{1}, kBlockPayload - 1, kBlockPayload,
                             kBlockPayload + 1, 4 * kBlockPayload}) {
        SCOPED_TRACE(size);
        std::string bytes = text_of_size(size);
        ClaimRef ref = settle(1, bytes);
        EXPECT_EQ(table_.stored_settle(ref), bytes);
        EXPECT_TRUE(table_.settle_digest_is(ref, sha256(bytes)));
        table_.set_unknown(ref, kNow);
        EXPECT_EQ(table_.stored_settle(ref), bytes);
        EXPECT_TRUE(table_.resume(ref, owner_));
        EXPECT_EQ(table_.stored_settle(ref), bytes);
        table_.free(ref);
        EXPECT_EQ(table_.stored_settle(ref), "");
    }
}

TEST_F(RoomySettleBytes, AreKeptUpTo16KB)
{
    std::string largest = text_of_size(kMaxSettleBytes);
    ClaimRef ref = unknown(1, largest);
    EXPECT_EQ(table_.stored_settle(ref), largest);

    std::string larger = text_of_size(kMaxSettleBytes + 1);
    ClaimRef other = unknown(2, larger);
    EXPECT_EQ(table_.stored_settle(other), "");
    EXPECT_TRUE(table_.settle_digest_is(other, sha256(larger)));
    EXPECT_FALSE(table_.settle_digest_is(other, sha256(largest)));
    EXPECT_EQ(look(2).state, ClaimState::unknown);
}

TEST_F(SettleBytes, WithoutRoomLeaveTheirDigest)
{
    std::string three = text_of_size(3 * kBlockPayload, 'x');
    std::string two = text_of_size(2 * kBlockPayload, 'y');
    std::string one = text_of_size(kBlockPayload, 'z');
    ClaimRef first = settle(1, three);
    ClaimRef second = settle(2, two);
    ClaimRef third = settle(3, one);
    EXPECT_EQ(table_.stored_settle(first), three);
    EXPECT_EQ(table_.stored_settle(second), "");
    EXPECT_TRUE(table_.settle_digest_is(second, sha256(two)));
    EXPECT_EQ(table_.stored_settle(third), one);
    EXPECT_EQ(state(2), ClaimState::settling);
}

TEST_F(SettleBytes, OfNothingAreADigest)
{
    ClaimRef ref = settle(1, "");
    EXPECT_EQ(table_.stored_settle(ref), "");
    EXPECT_TRUE(table_.settle_digest_is(ref, sha256("")));
    EXPECT_FALSE(table_.settle_digest_is(take(2), sha256("")));
}

TEST_F(SettleBytes, GiveTheirRoomBackWhenTheOutcomeIsKnown)
{
    std::string all = text_of_size(kSmallTableBlocks * kBlockPayload);
    for (unsigned end = 0; end < 5; ++end) {
        SCOPED_TRACE(end);
        ClaimRef ref = settle(end, all);
        ASSERT_EQ(table_.stored_settle(ref), all);
        EXPECT_EQ(table_.stored_settle(settle(100 + end, "x")), "");
        switch (end) {
        case 0:
            table_.free(ref);
            break;
        case 1:
            table_.set_refused(ref, kNow);
            break;
        case 2:
            EXPECT_TRUE(table_.set_paid(ref, "receipt", kNow));
            break;
        case 3:
            EXPECT_TRUE(table_.set_paid(ref, "receipt", kNow));
            table_.set_delivered(ref, kNow);
            break;
        case 4:
            table_.set_unknown(ref, kNow);
            EXPECT_EQ(state(end, kExpires), ClaimState::closed);
            break;
        }
    }
    EXPECT_EQ(table_.stored_settle(settle(50, all)), all);
}

// A payment whose outcome stayed unknown may never be looked at again.
TEST_F(SettleBytes, GiveTheirRoomBackWhenThePaymentIsUseless)
{
    std::string all = text_of_size(kSmallTableBlocks * kBlockPayload);
    ClaimRef before[] = {take(10), take(11)};
    ClaimRef ref = unknown(1, all);
    // Cells in front of it: a caller that takes one does not reach it.
    table_.free(before[0]);
    table_.free(before[1]);
    EXPECT_EQ(table_.stored_settle(settle(2, "x", kExpires - 1)), "");
    EXPECT_EQ(table_.stored_settle(settle(3, all, kExpires)), all);
    EXPECT_EQ(table_.stored_settle(ref), "");
    EXPECT_EQ(state(1, kExpires), ClaimState::closed);
}

TEST_F(SettleBytes, KeepTheirRoomWhileTheyAreAskedAgain)
{
    std::string all = text_of_size(kSmallTableBlocks * kBlockPayload);
    ClaimRef ref = unknown(1, all);
    EXPECT_TRUE(table_.resume(ref, owner_));
    EXPECT_EQ(table_.stored_settle(settle(2, "x", kExpires)), "");
    EXPECT_EQ(table_.stored_settle(ref), all);
}

TEST_F(SettleBytes, KeepTheirRoomWhileTheOutcomeIsUnknown)
{
    std::string all = text_of_size(kSmallTableBlocks * kBlockPayload);
    ClaimRef ref = unknown(1, all);
    EXPECT_TRUE(table_.resume(ref, owner_));
    EXPECT_EQ(table_.stored_settle(settle(2, "x")), "");
    table_.set_settling(ref, "asked again", 9, kNow);
    EXPECT_EQ(table_.stored_settle(settle(3, "x")), "");
    EXPECT_EQ(table_.stored_settle(ref), all);
}

TEST_F(SettleBytes, OfTheFirstSettleAreKeptWhenItIsAskedAgain)
{
    ClaimRef ref = unknown(1, "first");
    EXPECT_TRUE(table_.resume(ref, owner_));
    table_.set_settling(ref, "second", 8, kNow + 5);
    EXPECT_EQ(table_.stored_settle(ref), "first");
    EXPECT_TRUE(table_.settle_digest_is(ref, sha256("first")));
    EXPECT_EQ(look(1).facilitator, 7u);
}

TEST_F(SettleBytes, OfOnePaymentAreNeverThoseOfAnother)
{
    ClaimRef former = settle(1, text_of_size(2 * kBlockPayload, 'o'));
    table_.free(former);
    ClaimRef ref = settle(1, "new");
    EXPECT_EQ(table_.stored_settle(ref), "new");
    EXPECT_EQ(table_.stored_settle(former), "");
    ClaimRef mixed = ref;
    mixed.generation = former.generation;
    EXPECT_EQ(table_.stored_settle(mixed), "");
    EXPECT_FALSE(table_.settle_digest_is(mixed, sha256("new")));
}

// A byte that changed in memory: better nothing than another request.
TEST_F(SettleBytes, AreRecalledUnchangedOrNotAtAll)
{
    std::string bytes = text_of_size(kBlockPayload, 'q');
    ClaimRef ref = unknown(1, bytes);
    ASSERT_EQ(table_.stored_settle(ref), bytes);
    auto *begin = reinterpret_cast<char *>(memory_.data());
    std::string image(begin, bytes_);
    std::size_t place = image.find(bytes.substr(0, 200));
    ASSERT_NE(place, std::string::npos);
    begin[place + 100] ^= 1;
    EXPECT_EQ(table_.stored_settle(ref), "");
}

class UnprovenCount : public ClaimZone {
protected:
    bool count(unsigned payer, unsigned limit, std::int64_t now)
    {
        return table_.count_unproven(digest_of(payer), limit, now);
    }

    static constexpr std::int64_t kDay = 24 * 3600;
};

TEST_F(UnprovenCount, IsThreeInADayForEachPayer)
{
    for (int time = 0; time < 3; ++time) {
        EXPECT_TRUE(count(1, 3, kNow + time));
    }
    EXPECT_FALSE(count(1, 3, kNow + 3));
    EXPECT_TRUE(count(2, 3, kNow + 3)) << "another payer";
    EXPECT_FALSE(count(1, 3, kNow + kDay - 1));
    EXPECT_FALSE(count(1, 3, kNow + kDay - 1)) << "refusals count as nothing";
    // Any 24 hours, not days that begin all at once.
    EXPECT_TRUE(count(1, 3, kNow + kDay));
    EXPECT_FALSE(count(1, 3, kNow + kDay));
    EXPECT_TRUE(count(1, 3, kNow + kDay + 1));
    EXPECT_TRUE(count(1, 3, kNow + kDay + 2));
    EXPECT_FALSE(count(1, 3, kNow + kDay + 3));
    EXPECT_TRUE(count(1, 3, kNow + 2 * kDay + 3));
}

TEST_F(UnprovenCount, OfNoneAllowsNone)
{
    EXPECT_FALSE(count(1, 0, kNow));
    EXPECT_FALSE(count(1, 0, kNow + kDay));
    EXPECT_TRUE(count(1, 1, kNow + kDay));
    EXPECT_FALSE(count(1, 1, kNow + kDay));
}

TEST_F(UnprovenCount, DoesNotStartAgainWhenTheClockGoesBack)
{
    EXPECT_TRUE(count(1, 1, kNow));
    EXPECT_FALSE(count(1, 1, kNow - 3600));
}

TEST_F(UnprovenCount, HoldsForAsManyPayersAsThereIsRoom)
{
    // The bucket is chosen by the digest's first bytes: all in one.
    for (unsigned payer = 0; payer < 8; ++payer) {
        EXPECT_TRUE(count(payer * 2, 1, kNow + payer));
    }
    for (unsigned payer = 0; payer < 8; ++payer) {
        EXPECT_FALSE(count(payer * 2, 1, kNow + 10)) << payer;
    }
    // No payer that is still counted is forgotten for one more...
    EXPECT_FALSE(count(100, 1, kNow + 20));
    // ...until the oldest of them does not count any more.
    EXPECT_TRUE(count(100, 1, kNow + kDay));
    EXPECT_FALSE(count(2, 1, kNow + kDay));
    EXPECT_FALSE(count(100, 1, kNow + kDay));
}

class ClaimTakenOver : public ClaimZone {
protected:
    // Settled before content, without a verify.
    ClaimRef doubted(unsigned number, const std::string &bytes = "first")
    {
        ClaimRef ref = take(number);
        EXPECT_TRUE(table_.set_settling(ref, bytes, 7, kNow));
        table_.set_unknown(ref, kNow);
        return ref;
    }
    bool take_over(ClaimRef ref, const ClaimFacts &facts,
                   const std::string &bytes = "second")
    {
        return table_.take_over(ref, facts, owner_, bytes, 8, kNow + 1);
    }
};

TEST_F(ClaimTakenOver, IsForWhatTheOtherPaymentBuys)
{
    ClaimRef ref = doubted(1);
    ClaimFacts facts = facts_of(1);
    facts.binding.resource.fill(0x44);
    facts.redeliver_key.fill(0x55);
    facts.binding.asked[31] = facts.binding.paid[31] = 200;
    facts.expires = kExpires + 5;
    ASSERT_TRUE(take_over(ref, facts));
    ClaimView view = table_.look_up(facts, kNow);
    EXPECT_EQ(view.state, ClaimState::unknown);
    EXPECT_TRUE(view.in_use && view.same_client && view.ever_unknown);
    EXPECT_TRUE(covers(view.binding, facts.binding));
    EXPECT_FALSE(covers(view.binding, facts_of(1).binding));
    EXPECT_FALSE(view.was_verified || view.first_settle_sent);
    EXPECT_EQ(view.facilitator, 8u);
    EXPECT_EQ(view.expires, kExpires + 5);
    EXPECT_EQ(table_.stored_settle(ref), "second");
    EXPECT_TRUE(table_.set_settling(ref, "asked again", 8, kNow));
    table_.set_unknown(ref, kNow);
    EXPECT_EQ(table_.stored_settle(ref), "second");
    Purchase purchase{facts.payer, facts.binding};
    EXPECT_TRUE(table_.has_older(purchase, kNow)) << "found by its resource";
    purchase.binding = facts_of(1).binding;
    purchase.binding.asked = {};
    EXPECT_FALSE(table_.has_older(purchase, kNow));
}

TEST_F(ClaimTakenOver, OnlyWhenNobodyVerifiedItAndNobodyWorksOnIt)
{
    EXPECT_FALSE(take_over(unknown(1), facts_of(1))) << "verified";
    EXPECT_FALSE(take_over(doubted(2), facts_of(3))) << "another key";
    ClaimRef ref = look(2).ref;
    EXPECT_FALSE(
        table_.take_over(ref, facts_of(2), owner_, "second", 8, kExpires))
        << "over";
    ASSERT_TRUE(table_.resume(ref, owner_));
    EXPECT_FALSE(take_over(ref, facts_of(2))) << "in use";
    EXPECT_EQ(table_.stored_settle(ref), "first");
    EXPECT_TRUE(table_.set_paid(ref, "receipt", kNow));
    table_.set_owed(ref);
    EXPECT_FALSE(take_over(ref, facts_of(2))) << "paid";
    EXPECT_FALSE(take_over(take(4), facts_of(4))) << "not settled";
}

TEST_F(ClaimTakenOver, LeavesNoBlocksBehind)
{
    ClaimRef ref = doubted(1, text_of_size(2 * kBlockPayload));
    for (unsigned times = 0; times < 10; ++times) {
        std::string bytes = text_of_size(2 * kBlockPayload, 'b');
        ASSERT_TRUE(take_over(ref, facts_of(1), bytes));
        ASSERT_EQ(table_.stored_settle(ref), bytes) << times;
        table_.set_unknown(ref, kNow);
    }
    EXPECT_EQ(table_.next_due(owner_, kNow + 5).kind,
              DueClaim::Kind::ask_again);
}

}  // namespace
}  // namespace x402
