// SPDX-License-Identifier: Apache-2.0
// Claims that are settled without verify: a stranger can make them, so they
// have room of their own, a share for each client, and never count as an older
// claim of a payer.
#include "session/claim_zone.hpp"

namespace x402 {
namespace {

class UnverifiedClaims : public ClaimZone {
protected:
    UnverifiedClaims() : ClaimZone(1024 * 1024) {}

    bool may_settle(unsigned client)
    {
        return table_.may_settle_unverified(client, kNow);
    }

    // A payment of this client that was sent to settle without verify.
    ClaimRef settle_unverified(unsigned number, unsigned client)
    {
        ClaimFacts facts = facts_of(number);
        facts.client = client;
        ClaimRef ref;
        EXPECT_EQ(table_.take(facts, owner_, kNow, ref), TakeOutcome::taken);
        EXPECT_TRUE(table_.set_settling(ref, "settle", 7, kNow));
        return ref;
    }

    // As many of one client as it may have.
    unsigned fill_share(unsigned client, unsigned first)
    {
        unsigned count = 0;
        while (may_settle(client) && count < table_.capacity()) {
            table_.set_unknown(settle_unverified(first + count, client), kNow);
            count++;
        }
        return count;
    }

    std::size_t room() const { return table_.capacity() / 8; }
};

TEST_F(UnverifiedClaims, OneClientHasAShareOfTheirRoom)
{
    EXPECT_EQ(fill_share(1, 0), room() / 8);
    EXPECT_FALSE(may_settle(1));
    EXPECT_TRUE(may_settle(2));
}

TEST_F(UnverifiedClaims, ManyClientsHaveTheirRoomAndNoMore)
{
    unsigned count = 0;
    for (unsigned client = 1; client < 20; client++) {
        count += fill_share(client, count);
    }
    EXPECT_EQ(count, room());
    EXPECT_EQ(open_claims(table_), 0u) << "verified payments have all theirs";
    for (unsigned number = 0; number < table_.capacity() / 4; number++) {
        ClaimRef ref;
        ASSERT_EQ(try_take(10000 + number, ref), TakeOutcome::taken);
    }
}

// Otherwise a burst of them, sent to settle together, would exceed the room.
TEST_F(UnverifiedClaims, CountFromTheMomentTheirContentIsMade)
{
    std::vector<ClaimRef> served;
    while (may_settle(1)) {
        ClaimFacts facts = facts_of(static_cast<unsigned>(served.size()));
        facts.client = 1;
        ClaimRef ref;
        ASSERT_EQ(table_.take(facts, owner_, kNow, ref), TakeOutcome::taken);
        ASSERT_TRUE(table_.set_served_unverified(ref, false));
        served.push_back(ref);
    }
    EXPECT_EQ(served.size(), room() / 8);
    EXPECT_TRUE(may_settle(2));
    for (ClaimRef ref : served) {
        EXPECT_TRUE(table_.set_settling(ref, "settle", 7, kNow));
        table_.set_unknown(ref, kNow);
    }
    EXPECT_FALSE(may_settle(1));
    table_.set_refused(served[0], kNow);
    EXPECT_TRUE(may_settle(1));
}

// x402_settle off: paid on the facilitator's word, with no step between.
TEST_F(UnverifiedClaims, AreNotThoseThatArePaidAtOnce)
{
    for (unsigned number = 0; number < 3; number++) {
        ClaimRef ref = take(number);
        EXPECT_TRUE(table_.set_paid(ref, "receipt", kNow));
        table_.set_delivered(ref, kNow);
    }
    EXPECT_TRUE(may_settle(0));
    EXPECT_EQ(fill_share(1, 100), room() / 8);
}

TEST_F(UnverifiedClaims, AreFreedWithTheirClaim)
{
    unsigned count = fill_share(1, 0);
    ASSERT_GE(count, 3u);
    ClaimRef first = look(0).ref;
    table_.resume(first, owner_);
    EXPECT_TRUE(table_.set_paid(first, "receipt", kNow));
    EXPECT_TRUE(may_settle(1)) << "proven by its settlement";
    ClaimRef again = settle_unverified(1000, 1);
    EXPECT_FALSE(may_settle(1)) << "counted from the first byte of settle";
    table_.set_refused(again, kNow);
    EXPECT_TRUE(may_settle(1));
    EXPECT_TRUE(table_.may_settle_unverified(1, kExpires)) << "closed";
    EXPECT_EQ(fill_share(1, 2000), 1u);
}

TEST_F(UnverifiedClaims, AreNobodysOlderClaim)
{
    settle_unverified(1, 1);
    table_.set_unknown(look(1).ref, kNow);
    ClaimFacts facts = facts_of(1);
    Purchase purchase{facts.payer, facts.binding};
    EXPECT_FALSE(table_.has_older(purchase, kNow));
    EXPECT_EQ(table_.find_unknown(purchase, kNow).state, ClaimState::free);
    unknown(2);
    EXPECT_TRUE(table_.has_older(purchase, kNow)) << "this one was verified";
}

TEST_F(UnverifiedClaims, AreProvenByThePaymentThatTakesThemOver)
{
    unsigned count = fill_share(1, 0);
    ASSERT_GE(count, 1u);
    ClaimFacts facts = facts_of(0);
    EXPECT_TRUE(
        table_.take_over(look(0).ref, facts, owner_, "second", 8, kNow));
    EXPECT_TRUE(may_settle(1));
    EXPECT_EQ(open_claims(table_), 1u);
}

// In the header: what is derived from the cells is being changed.
TEST_F(UnverifiedClaims, AreCountedAgainAfterAKill)
{
    fill_share(1, 0);
    constexpr std::size_t kChanging = 40 / 8;
    memory_[kChanging] |= 1;
    EXPECT_FALSE(may_settle(1));
    table_.set_refused(look(0).ref, kNow);
    EXPECT_TRUE(may_settle(1));
    EXPECT_EQ(fill_share(1, 1000), 1u);
}

}  // namespace
}  // namespace x402
