// SPDX-License-Identifier: Apache-2.0
// Workers come, die and are followed by others; claims stay true.
#include "session/claim_table.hpp"

#include "session/claim_zone.hpp"

namespace x402 {
namespace {

class ClaimTableOwner : public ClaimZone {
protected:
    // The zone as another worker sees it.
    ClaimTable table_of_other() { return {memory_.data(), process_lives}; }

    void die() { living_processes().erase(100); }
};

TEST_F(ClaimTableOwner, GetsASlotOfItsOwn)
{
    living_processes().insert({101, 102});
    ClaimTable second = table_of_other();
    ClaimTable third = table_of_other();
    ClaimOwner second_owner = second.attach(101, kNow);
    ClaimOwner third_owner = third.attach(102, kNow);
    EXPECT_NE(second_owner.stamp, 0u);
    EXPECT_NE(third_owner.stamp, 0u);
    EXPECT_NE(second_owner.slot, owner_.slot);
    EXPECT_NE(third_owner.slot, owner_.slot);
    EXPECT_NE(third_owner.slot, second_owner.slot);
    std::set<std::uint32_t> stamps = {owner_.stamp, second_owner.stamp,
                                      third_owner.stamp};
    EXPECT_EQ(stamps.size(), 3u);
}

TEST_F(ClaimTableOwner, WhoLivesKeepsItsClaims)
{
    take(1);
    settle(2);
    living_processes().insert(101);
    ClaimTable other = table_of_other();
    ClaimOwner other_owner = other.attach(101, kNow);
    for (unsigned number : {1u, 2u}) {
        ClaimView view = other.look_up(facts_of(number), kExpires + 1);
        EXPECT_TRUE(view.in_use);
        ClaimRef ref;
        EXPECT_EQ(other.take(facts_of(number), other_owner, kNow, ref),
                  TakeOutcome::in_use);
    }
    EXPECT_EQ(other.look_up(facts_of(2), kNow).state, ClaimState::settling);
}

TEST_F(ClaimTableOwner, WhoDiesLeavesWhatIsTrueOfTheMoney)
{
    take(1);
    ClaimRef verified = take(2);
    table_.set_verified(verified);
    ClaimRef settling = settle(3, "what was sent");
    table_.set_first_settle_sent(settling);
    EXPECT_TRUE(table_.set_paid(settle(4), "receipt", kNow));
    table_.set_delivered(settle(5), kNow);
    table_.set_refused(settle(6), kNow);
    unknown(7);
    ClaimRef resumed = unknown(8);
    EXPECT_TRUE(table_.resume(resumed, owner_));
    ClaimRef owed_again = owed(9);
    EXPECT_TRUE(table_.resume(owed_again, owner_));

    die();
    ClaimTable other = table_of_other();
    constexpr ClaimState kLeft[] = {
        ClaimState::free,    ClaimState::free,      ClaimState::unknown,
        ClaimState::paid,    ClaimState::delivered, ClaimState::refused,
        ClaimState::unknown, ClaimState::unknown,   ClaimState::paid,
    };
    for (unsigned number = 1; number <= 9; ++number) {
        ClaimView view = other.look_up(facts_of(number), kNow);
        EXPECT_EQ(view.state, kLeft[number - 1]) << number;
        EXPECT_FALSE(view.in_use) << number;
    }
    ClaimView unknown_now = other.look_up(facts_of(3), kNow);
    EXPECT_TRUE(unknown_now.ever_unknown);
    EXPECT_TRUE(unknown_now.first_settle_sent);
    EXPECT_TRUE(unknown_now.was_verified);
    EXPECT_EQ(other.stored_settle(settling), "what was sent");
    EXPECT_EQ(other.look_up(facts_of(4), kNow).receipt, "receipt");
    EXPECT_EQ(other.look_up(facts_of(9), kNow).executions, 2u);
}

TEST_F(ClaimTableOwner, WhoDiedInSettleIsUnknownUntilItsTimeIsOver)
{
    settle(1);
    die();
    ClaimTable other = table_of_other();
    EXPECT_EQ(other.look_up(facts_of(1), kExpires - 1).state,
              ClaimState::unknown);
    EXPECT_EQ(other.look_up(facts_of(1), kExpires).state, ClaimState::closed);
}

TEST_F(ClaimTableOwner, WhoDiedInSettleLeavesAClaimThatIsAbandoned)
{
    ClaimRef ref = settle(1);
    EXPECT_FALSE(table_.view(ref).abandoned);
    living_processes() = {101};
    ClaimTable other = table_of_other();
    ClaimOwner owner = other.attach(101, kNow);
    EXPECT_TRUE(other.look_up(facts_of(1), kNow).abandoned);
    EXPECT_TRUE(other.resume(ref, owner));
    EXPECT_TRUE(other.set_settling(ref, "again", 7, kNow));
    EXPECT_FALSE(other.view(ref).abandoned) << "it is asked about";
    other.set_unknown(ref, kNow);
    EXPECT_FALSE(other.look_up(facts_of(1), kNow).abandoned);
}

TEST_F(ClaimTableOwner, AClaimOfTheDeadIsTakenUp)
{
    take(1);
    ClaimRef settling = settle(2);
    EXPECT_TRUE(table_.set_paid(settle(3), "receipt", kNow));
    die();
    living_processes().insert(101);
    ClaimTable other = table_of_other();
    ClaimOwner other_owner = other.attach(101, kNow);

    ClaimRef ref;
    EXPECT_EQ(other.take(facts_of(1), other_owner, kNow, ref),
              TakeOutcome::taken);
    EXPECT_EQ(other.take(facts_of(2), other_owner, kNow, ref),
              TakeOutcome::in_use);
    ClaimView view = other.look_up(facts_of(2), kNow);
    EXPECT_EQ(view.ref.generation, settling.generation);
    EXPECT_TRUE(other.resume(view.ref, other_owner));
    view = other.look_up(facts_of(3), kNow);
    EXPECT_TRUE(other.resume(view.ref, other_owner));
    EXPECT_EQ(other.look_up(facts_of(3), kNow).executions, 2u);
}

TEST_F(ClaimTableOwner, RoomOfTheDeadIsUsed)
{
    for (unsigned number = 0; number < kSmallTableClaims; ++number) {
        if (number == 11) {
            take(number);
        } else {
            owed(number);
        }
    }
    ClaimRef ref;
    ASSERT_EQ(try_take(100, ref), TakeOutcome::full);
    die();
    living_processes().insert(101);
    ClaimTable other = table_of_other();
    ClaimOwner other_owner = other.attach(101, kNow);
    EXPECT_EQ(other.take(facts_of(100), other_owner, kNow, ref),
              TakeOutcome::taken);
    EXPECT_EQ(other.look_up(facts_of(11), kNow).state, ClaimState::free);
}

TEST_F(ClaimTableOwner, SlotOfTheDeadIsTakenOverAndItsClaimsWithIt)
{
    settle(1);
    die();
    living_processes().insert(101);
    ClaimTable other = table_of_other();
    ClaimOwner other_owner = other.attach(101, kNow);
    EXPECT_EQ(other_owner.slot, owner_.slot);
    EXPECT_NE(other_owner.stamp, owner_.stamp);
    // The new process sits in the dead one's slot and does not own its claims,
    // not even when the old number comes to life again.
    living_processes().insert(100);
    EXPECT_EQ(other.look_up(facts_of(1), kNow).state, ClaimState::unknown);
}

TEST_F(ClaimTableOwner, WhoLeavesIsGoneThoughItsProcessLives)
{
    take(1);
    settle(2);
    table_.detach(owner_, kNow);
    ClaimTable other = table_of_other();
    EXPECT_EQ(other.look_up(facts_of(1), kNow).state, ClaimState::free);
    EXPECT_EQ(other.look_up(facts_of(2), kNow).state, ClaimState::unknown);
}

TEST_F(ClaimTableOwner, LeavingLateDoesNotPutTheSuccessorOut)
{
    die();
    living_processes().insert(101);
    ClaimTable other = table_of_other();
    ClaimOwner other_owner = other.attach(101, kNow);
    ClaimRef ref;
    ASSERT_EQ(other.take(facts_of(1), other_owner, kNow, ref),
              TakeOutcome::taken);
    table_.detach(owner_, kNow);
    table_.detach(ClaimOwner(), kNow);
    EXPECT_TRUE(table_of_other().look_up(facts_of(1), kNow).in_use);
}

// A worker with the number of one that was killed: the claims of the former are
// not its own, wherever its slot was.
TEST_F(ClaimTableOwner, TheSameProcessNumberIsAnotherProcess)
{
    living_processes().insert(101);
    ClaimTable killed = table_of_other();
    ClaimOwner killed_owner = killed.attach(101, kNow);
    ASSERT_NE(killed_owner.slot, owner_.slot);
    ClaimRef ref;
    ASSERT_EQ(killed.take(facts_of(1), killed_owner, kNow, ref),
              TakeOutcome::taken);
    killed.set_settling(ref, "bytes", 7, kNow);

    table_.detach(owner_, kNow);
    ClaimTable successor = table_of_other();
    ASSERT_NE(successor.attach(101, kNow).stamp, killed_owner.stamp);
    ClaimView view = successor.look_up(facts_of(1), kNow);
    EXPECT_EQ(view.state, ClaimState::unknown);
    EXPECT_FALSE(view.in_use);
}

TEST_F(ClaimTableOwner, WithoutASlotIsNobody)
{
    for (std::int64_t process = 101; process < 101 + 511; ++process) {
        living_processes().insert(process);
        ASSERT_NE(table_of_other().attach(process, kNow).stamp, 0u) << process;
    }
    living_processes().insert(1000);
    EXPECT_EQ(table_of_other().attach(1000, kNow).stamp, 0u);
    living_processes().erase(300);
    EXPECT_NE(table_of_other().attach(1000, kNow).stamp, 0u);
}

}  // namespace
}  // namespace x402
