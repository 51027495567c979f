// SPDX-License-Identifier: Apache-2.0
// What the table knows of payers: which are trusted with content before money.
#include "session/claim_table.hpp"

#include "session/claim_zone.hpp"

namespace x402 {
namespace {

constexpr std::int64_t kTrustGone = 600;

// Several thousand cells: what a payer may have is the limit, not the room.
class ClaimPayers : public ClaimZone {
protected:
    ClaimPayers() : ClaimZone(1024 * 1024) {}

    ClaimRef take_of(unsigned payer, std::int64_t now = kNow)
    {
        ClaimFacts facts = facts_of(next_payment_++);
        facts.payer = digest_of(payer);
        facts.key[9] = facts.key[1];  // anywhere in the table
        ClaimRef ref;
        EXPECT_EQ(table_.take(facts, owner_, now, ref), TakeOutcome::taken);
        return ref;
    }

    ClaimRef refused_of(unsigned payer, std::int64_t now)
    {
        ClaimRef ref = take_of(payer, now);
        table_.set_verified(ref);
        table_.set_settling(ref, "settle", 7, now);
        table_.set_refused(ref, now);
        return ref;
    }

    bool settles_first(unsigned payer, std::int64_t now = kNow)
    {
        return table_.settles_first(digest_of(payer), now);
    }

    unsigned waiting(unsigned payer)
    {
        return waiting_of(table_, digest_of(payer));
    }

    unsigned next_payment_ = 1;
};

TEST_F(ClaimPayers, MayHave32PaymentsWaiting)
{
    std::vector<ClaimRef> refs;
    for (unsigned count = 0; count < 32; ++count) {
        EXPECT_FALSE(settles_first(1));
        refs.push_back(take_of(1));
        EXPECT_TRUE(table_.set_verified(refs.back())) << count;
    }
    EXPECT_EQ(waiting(1), 32u);
    EXPECT_TRUE(settles_first(1));
    EXPECT_FALSE(settles_first(2));
    ClaimRef more = take_of(1);
    EXPECT_FALSE(table_.set_verified(more));
    EXPECT_EQ(waiting(1), 32u);
    // It may still be settled before content.
    table_.set_settling(more, "settle", 7, kNow);
    EXPECT_TRUE(table_.set_paid(more, "r", kNow));

    table_.set_settling(refs[0], "settle", 7, kNow);
    table_.free(refs[1]);
    EXPECT_EQ(waiting(1), 30u);
    EXPECT_TRUE(table_.set_verified(take_of(1)));
    EXPECT_FALSE(settles_first(1));
}

// It costs nothing to leave: a payer that does it again and again pays first.
TEST_F(ClaimPayers, AreChargedFirstWhenTheyAbandonPayments)
{
    for (unsigned count = 0; count < 32; ++count) {
        ClaimRef ref = take_of(1);
        EXPECT_TRUE(table_.set_verified(ref)) << count;
        table_.abandon(ref, kNow + count);
    }
    EXPECT_EQ(waiting(1), 0u);
    std::int64_t last = kNow + 31;
    EXPECT_TRUE(settles_first(1, last + 299));
    EXPECT_FALSE(table_.set_verified(take_of(1, last)));
    EXPECT_FALSE(settles_first(2, last));
    EXPECT_FALSE(settles_first(1, last + 300)) << "for a while";
    ClaimRef ref = take_of(1, last + 300);
    EXPECT_TRUE(table_.set_verified(ref));
    table_.abandon(ref, last + 300);
    EXPECT_FALSE(settles_first(1, last + 301)) << "counted from one again";
}

TEST_F(ClaimPayers, OnlyWhatWasVerifiedIsAbandoned)
{
    for (unsigned count = 0; count < 40; ++count) {
        table_.abandon(take_of(1), kNow);
    }
    EXPECT_FALSE(settles_first(1));
}

// 20 wait and 12 were abandoned.
TEST_F(ClaimPayers, WaitingAndAbandonedPaymentsCountTogether)
{
    for (unsigned count = 0; count < 32; ++count) {
        ClaimRef ref = take_of(1);
        EXPECT_TRUE(table_.set_verified(ref)) << count;
        if (count % 8 < 3) {
            table_.abandon(ref, kNow);
        }
    }
    EXPECT_EQ(waiting(1), 20u);
    EXPECT_TRUE(settles_first(1));
}

TEST_F(ClaimPayers, WaitForNothingWhenTheirWorkerDies)
{
    for (unsigned count = 0; count < 32; ++count) {
        table_.set_verified(take_of(1));
    }
    living_processes() = {101};
    ClaimTable other(memory_.data(), process_lives);
    ASSERT_NE(other.attach(101, kNow).stamp, 0u);
    EXPECT_EQ(waiting_of(other, digest_of(1)), 0u);
    EXPECT_FALSE(other.settles_first(digest_of(1), kNow));
}

TEST_F(ClaimPayers, SettleFirstForTenMinutesAfterARefusal)
{
    refused_of(1, kNow);
    EXPECT_TRUE(settles_first(1, kNow));
    EXPECT_TRUE(settles_first(1, kNow + kTrustGone - 1));
    EXPECT_FALSE(settles_first(1, kNow + kTrustGone));
    EXPECT_FALSE(settles_first(2, kNow));
    EXPECT_FALSE(table_.set_verified(take_of(1, kNow + 1)));
    EXPECT_TRUE(table_.set_verified(take_of(1, kNow + kTrustGone)));
}

// Anyone can write another's address into an unverified payment.
TEST_F(ClaimPayers, AreNotBlamedForPaymentsThatNobodyVerified)
{
    ClaimRef ref = take_of(1);
    table_.set_settling(ref, "settle", 7, kNow);
    table_.set_refused(ref, kNow);
    EXPECT_FALSE(settles_first(1));
}

// The smallest table has one bucket of eight records.
class FewPayers : public ClaimPayers {
protected:
    FewPayers() : ClaimPayers(), small_(ClaimTable::least_bytes() / 8)
    {
        EXPECT_TRUE(ClaimTable::format(small_.data(), small_.size() * 8));
    }

    std::vector<std::uint64_t> small_;
};

TEST_F(FewPayers, AreNotForgottenWhileItMatters)
{
    ClaimTable table(small_.data(), process_lives);
    for (unsigned payer = 1; payer <= 8; ++payer) {
        EXPECT_TRUE(table.count_unproven(digest_of(payer), 3, kNow + payer));
    }
    // No other payer can be counted, so no other is trusted.
    EXPECT_TRUE(table.settles_first(digest_of(9), kNow + 9));
    EXPECT_FALSE(table.count_unproven(digest_of(9), 3, kNow + 9));
    EXPECT_FALSE(table.settles_first(digest_of(1), kNow + 9));
    // Once the first is a day old its record is the one to be taken.
    constexpr std::int64_t kLater = kNow + 1 + 24 * 3600;
    EXPECT_FALSE(table.settles_first(digest_of(9), kLater));
    EXPECT_TRUE(table.count_unproven(digest_of(9), 3, kLater));
    EXPECT_FALSE(table.count_unproven(digest_of(1), 3, kLater));
    EXPECT_TRUE(table.count_unproven(digest_of(2), 1, kLater + 1));
}

}  // namespace
}  // namespace x402
