// SPDX-License-Identifier: Apache-2.0
// Two tables, one journal: what a binary upgrade does. The second one follows
// what the first still does, and changes nothing that the first has in hand.
#include <memory>

#include "session/claim_zone.hpp"

namespace x402 {
namespace {

class OneFile : public JournalPort {
public:
    bool append(std::uint64_t, std::string_view record) override
    {
        bytes.append(record);
        return true;
    }
    bool clear(std::uint64_t) override { return true; }
    bool carry_over(std::uint64_t, std::uint64_t) override { return true; }

    std::string bytes = journal_edge(JournalKind::complete, 0);
};

constexpr std::int64_t kStandIn = 900;

class ClaimFollow : public ClaimZone {
protected:
    ClaimFollow() : ClaimZone(64 * 1024), second_memory_(64 * 1024 / 8)
    {
        table_.journal().use(&file_);
        ClaimTable::format(second_memory_.data(), 64 * 1024);
        second_ =
            std::make_unique<ClaimTable>(second_memory_.data(), process_lives);
        second_->journal().use(&file_);
        living_processes().insert({200, kStandIn});
        second_owner_ = second_->attach(200, kNow);
    }

    // All of it each time: records may be read again.
    void catch_up(std::int64_t now = kNow)
    {
        ReplayReport report;
        ASSERT_TRUE(
            second_->follow(std::string(file_.bytes), kStandIn, now, report));
        EXPECT_EQ(report.homeless, 0u);
    }
    ClaimRef settling(ClaimTable &table, ClaimOwner owner, unsigned number)
    {
        ClaimRef ref;
        EXPECT_EQ(table.take(facts_of(number), owner, kNow, ref),
                  TakeOutcome::taken);
        table.set_verified(ref);
        EXPECT_TRUE(table.set_settling(ref, "settle", 7, kNow));
        return ref;
    }
    ClaimView seen(unsigned number)
    {
        return second_->look_up(facts_of(number), kNow);
    }

    OneFile file_;
    std::vector<std::uint64_t> second_memory_;
    std::unique_ptr<ClaimTable> second_;
    ClaimOwner second_owner_;
};

TEST_F(ClaimFollow, WhatTheFirstHasInHandIsInUse)
{
    ClaimRef ref = settling(table_, owner_, 1);
    catch_up();
    EXPECT_EQ(seen(1).state, ClaimState::settling);
    EXPECT_TRUE(seen(1).in_use);
    EXPECT_FALSE(second_->resume(seen(1).ref, second_owner_));

    table_.set_paid(ref, "{}", kNow);
    catch_up();
    EXPECT_EQ(seen(1).state, ClaimState::paid);
    EXPECT_TRUE(seen(1).in_use);

    table_.set_delivered(ref, kNow);
    catch_up();
    EXPECT_EQ(seen(1).state, ClaimState::delivered);
    EXPECT_FALSE(seen(1).in_use);
}

TEST_F(ClaimFollow, AnOpenOutcomeIsNotAskedForWhileTheFirstLives)
{
    ClaimRef ref = settling(table_, owner_, 1);
    table_.set_unknown(ref, kNow);
    catch_up();
    EXPECT_EQ(seen(1).state, ClaimState::unknown);
    EXPECT_EQ(second_->next_due(second_owner_, kNow + 60).kind,
              DueClaim::Kind::nothing);
    second_->end_follow(kStandIn, kNow);
    EXPECT_FALSE(seen(1).in_use);
    EXPECT_EQ(second_->next_due(second_owner_, kNow + 60).kind,
              DueClaim::Kind::ask_again);
}

// The same payment came to both: the one that sent it first has it.
TEST_F(ClaimFollow, WhatWasNotSentYetGivesWay)
{
    for (bool verified : {false, true}) {
        unsigned number = verified ? 2 : 1;
        ClaimRef ref;
        ASSERT_EQ(second_->take(facts_of(number), second_owner_, kNow, ref),
                  TakeOutcome::taken);
        if (verified) {
            second_->set_verified(ref);
        }
        ClaimRef sent = settling(table_, owner_, number);
        catch_up();
        EXPECT_EQ(seen(number).state, ClaimState::settling);
        EXPECT_TRUE(seen(number).in_use);
        EXPECT_FALSE(second_->set_verified(ref));
        EXPECT_FALSE(second_->set_settling(ref, "settle", 7, kNow));
        second_->free(ref);
        table_.set_unknown(sent, kNow);
        catch_up();
        EXPECT_EQ(seen(number).state, ClaimState::unknown);
    }
}

TEST_F(ClaimFollow, WhatItLeavesIsUnknownOrOwed)
{
    settling(table_, owner_, 1);
    ClaimRef paid = settling(table_, owner_, 2);
    table_.set_paid(paid, "{}", kNow);
    catch_up();
    second_->end_follow(kStandIn, kNow);
    EXPECT_EQ(seen(1).state, ClaimState::unknown);
    EXPECT_EQ(seen(2).state, ClaimState::paid);
    EXPECT_FALSE(seen(2).in_use);
    EXPECT_TRUE(second_->resume(seen(2).ref, second_owner_));
}

TEST_F(ClaimFollow, ItsOwnClaimsStayAsTheyAre)
{
    ClaimRef first = settling(*second_, second_owner_, 1);
    ClaimRef owed = settling(*second_, second_owner_, 2);
    second_->set_paid(owed, "{}", kNow);
    second_->set_owed(owed);
    ClaimRef done = settling(*second_, second_owner_, 3);
    second_->set_paid(done, "{}", kNow);
    second_->set_delivered(done, kNow);
    ClaimRef refused = settling(*second_, second_owner_, 4);
    second_->set_refused(refused, kNow);
    for (int i = 0; i < 2; i++) {
        catch_up();
        EXPECT_EQ(seen(1).state, ClaimState::settling);
        EXPECT_EQ(seen(2).state, ClaimState::paid);
        EXPECT_FALSE(seen(2).in_use);
        EXPECT_EQ(seen(3).state, ClaimState::delivered);
        EXPECT_EQ(seen(4).state, ClaimState::refused);
    }
    second_->set_paid(first, "{}", kNow);
    second_->set_delivered(first, kNow);
    catch_up();
    EXPECT_EQ(seen(1).state, ClaimState::delivered);
    second_->end_follow(kStandIn, kNow);
    EXPECT_EQ(seen(2).state, ClaimState::paid);
    EXPECT_TRUE(second_->resume(seen(2).ref, second_owner_));
}

TEST_F(ClaimFollow, AFreedClaimIsFree)
{
    ClaimRef ref = settling(table_, owner_, 1);
    catch_up();
    table_.free(ref);
    catch_up();
    EXPECT_EQ(seen(1).state, ClaimState::free);

    // Of its own it hears nothing new.
    settling(*second_, second_owner_, 2);
    ClaimRef other = settling(table_, owner_, 2);
    table_.free(other);
    catch_up();
    EXPECT_EQ(seen(2).state, ClaimState::settling);
}

TEST_F(ClaimFollow, ARefusedPaymentMayBeginAgainElsewhere)
{
    ClaimRef ref = settling(table_, owner_, 1);
    table_.set_refused(ref, kNow);
    catch_up();
    EXPECT_EQ(seen(1).state, ClaimState::refused);
    ref = settling(table_, owner_, 1);
    catch_up();
    EXPECT_EQ(seen(1).state, ClaimState::settling);
    EXPECT_TRUE(seen(1).in_use);
}

}  // namespace
}  // namespace x402
