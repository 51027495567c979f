// SPDX-License-Identifier: Apache-2.0
// Each script against a real redis-server: the rules about money for two and
// three machines, retries, lost answers, lapsed leases.
#include "store/store_scripts.hpp"

#include <fstream>
#include <sstream>

#include "store/store_rig.hpp"

namespace x402 {
namespace {

using V = StoreVerdict;

class StoreScripts : public StoreRig {};

TEST_F(StoreScripts, AreKnownByTheirDigest)
{
    for (unsigned i = 0; i < kStoreScripts; i++) {
        auto script = static_cast<StoreScript>(i);
        const RespReply &reply =
            a().command({"SCRIPT", "LOAD", store_script_text(script)});
        EXPECT_EQ(reply.root().text, store_script_sha1(script))
            << store_script_name(script);
    }
}

TEST_F(StoreScripts, AreTaughtOnceToAStoreThatDoesNotKnowThem)
{
    a().command({"SCRIPT", "FLUSH"});
    StoreMachine::taught = 0;
    EXPECT_EQ(take(a(), hand(1)).verdict, V::taken);
    EXPECT_EQ(take(b(), hand(2)).verdict, V::taken);
    EXPECT_EQ(StoreMachine::taught, 1u);
}

TEST_F(StoreScripts, APaymentIsTakenByOneOfThreeMachines)
{
    Hand first = hand(1);
    EXPECT_EQ(take(a(), first).verdict, V::taken);
    EXPECT_EQ(take(b(), hand(1)).verdict, V::held);
    KeptAnswer held = take(c(), hand(1));
    EXPECT_EQ(held.verdict, V::held);
    EXPECT_EQ(held.state, ClaimState::verifying);
    EXPECT_TRUE(held.answer.claim.in_use());
    // The answer was lost: the same call again.
    EXPECT_EQ(take(a(), first).verdict, V::taken);
}

TEST_F(StoreScripts, ALifeOfAPayment)
{
    Hand mine = hand(1);
    begin(a(), mine);
    EXPECT_EQ(seen(mine).state, ClaimState::settling);
    EXPECT_EQ(paid(a(), mine), V::done);
    KeptAnswer there = seen(mine);
    EXPECT_EQ(there.state, ClaimState::paid);
    EXPECT_EQ(there.record, mine.record);
    EXPECT_EQ(bytes_of({"EXISTS", key_of(mine, "b:") + id_of(mine)}), "0");
    EXPECT_EQ(finish(a(), mine, FinishAs::delivered), V::done);
    there = seen(mine);
    EXPECT_EQ(there.state, ClaimState::delivered);
    EXPECT_EQ(there.record, "");
    EXPECT_EQ(bytes_of({"EXISTS", key_of(mine, "due")}), "0");
    KeptAnswer again = take(b(), hand(1));
    EXPECT_EQ(again.verdict, V::held);
    EXPECT_EQ(again.state, ClaimState::delivered);
}

TEST_F(StoreScripts, WhatTheStoreHasIsReadAsAJournalRecord)
{
    Hand mine = hand(1);
    begin(a(), mine);
    lapse(a(), mine);
    Hand other = hand(1);
    b().ask(resume_call(other));
    StoreAnswer answer = read_store_answer(StoreScript::resume, other.claim.key,
                                           b().ask(resume_call(other)));
    ASSERT_EQ(answer.verdict, V::resumed);
    JournalRecord record;
    ASSERT_TRUE(restored_record(answer.claim, answer.settle, record));
    EXPECT_EQ(record.key, mine.claim.key);
    EXPECT_EQ(record.payer, mine.facts.payer);
    EXPECT_EQ(record.expires, mine.facts.expires);
    EXPECT_EQ(record.executions, 1u);
    EXPECT_EQ(record.state, static_cast<std::uint32_t>(ClaimState::unknown));
    EXPECT_EQ(record.flags, kWasVerified | kEverUnknown | kAbandoned);
    EXPECT_EQ(record.settle, mine.settle);
    EXPECT_EQ(record.receipt, "receipt 1");
}

TEST_F(StoreScripts, EachCallMayBeRepeatedAfterALostAnswer)
{
    Hand mine = hand(1);
    take(a(), hand(9));
    settling(a(), hand(9));
    paid(a(), hand(9));
    finish(a(), hand(9), FinishAs::free);
    resume(a(), hand(9));
    a().ask_and_lose(take_call(mine));
    EXPECT_EQ(take(a(), mine).verdict, V::taken);
    a().ask_and_lose(settling_call(mine));
    EXPECT_EQ(seen(mine).state, ClaimState::settling);
    EXPECT_EQ(settling(a(), mine), V::done);
    a().ask_and_lose(paid_call(mine));
    EXPECT_EQ(seen(mine).state, ClaimState::paid);
    EXPECT_EQ(paid(a(), mine), V::done);
    a().ask_and_lose(finish_call(mine, FinishAs::owed));
    EXPECT_EQ(finish(a(), mine, FinishAs::owed), V::done);
    // An answer that is lost uses no execution up.
    Hand other = hand(1);
    b().ask_and_lose(resume_call(other));
    KeptAnswer resumed = resume(b(), other);
    EXPECT_EQ(resumed.verdict, V::resumed);
    EXPECT_EQ(resumed.executions, 1u);
    b().ask_and_lose(finish_call(other, FinishAs::delivered));
    EXPECT_EQ(finish(b(), other, FinishAs::delivered), V::done);
    EXPECT_EQ(paid(b(), other), V::done);
    EXPECT_EQ(seen(mine).state, ClaimState::delivered);
}

TEST_F(StoreScripts, NothingIsSentForAClaimThatIsGone)
{
    // A failover lost TAKE.
    Hand mine = hand(1);
    take(a(), mine);
    a().command({"FLUSHALL"});
    EXPECT_EQ(settling(a(), mine), V::lost);
    EXPECT_EQ(seen(mine).state, ClaimState::free);
    // Or gave the payment to another.
    take(b(), hand(1));
    EXPECT_EQ(settling(a(), mine), V::lost);
}

TEST_F(StoreScripts, ALateOwnerGoesOnIfNoOtherCame)
{
    // After twice its lease the store has forgotten it: a busy machine may be
    // later than that, and tries another one.
    V late = V::lost;
    for (unsigned payment = 10; payment < 20 && late != V::done; payment++) {
        Hand mine = hand(payment);
        take(a(), mine, 300);
        usleep(320000);
        late = settling(a(), mine);
    }
    EXPECT_EQ(late, V::done);
    Hand second = hand(2);
    take(a(), second);
    lapse(a(), second);
    EXPECT_EQ(settling(a(), second), V::lost);
}

TEST_F(StoreScripts, ALateOwnerIsFenced)
{
    Hand mine = hand(1);
    take(a(), mine, 100);
    usleep(120000);
    Hand other = hand(1);
    EXPECT_EQ(take(b(), other).verdict, V::taken);
    EXPECT_EQ(settling(a(), mine), V::lost);
    EXPECT_EQ(finish(a(), mine, FinishAs::free), V::lost);
    EXPECT_EQ(renew(a(), mine), V::lost);
    EXPECT_EQ(settling(b(), other), V::done);
}

TEST_F(StoreScripts, ASettlementWhoseMachineDiesIsUnknownAndAskedByAnother)
{
    Hand mine = hand(1);
    begin(a(), mine);
    Hand other = hand(1);
    EXPECT_EQ(resume(b(), other).verdict, V::lost);
    lapse(a(), mine);
    KeptAnswer presented = take(b(), hand(1));
    EXPECT_EQ(presented.verdict, V::held);
    EXPECT_EQ(presented.state, ClaimState::unknown);
    EXPECT_FALSE(presented.answer.claim.in_use());
    EXPECT_EQ(presented.record, mine.record);
    KeptAnswer resumed = resume(b(), other);
    EXPECT_EQ(resumed.verdict, V::resumed);
    EXPECT_EQ(resumed.settle, mine.settle);
    EXPECT_TRUE(resumed.flags & kEverUnknown);
    EXPECT_TRUE(resumed.flags & kAbandoned);
    EXPECT_EQ(resume(c(), hand(1)).verdict, V::lost);
    EXPECT_EQ(paid(b(), other), V::done);
}

// F4: no refusal counts any more.
TEST_F(StoreScripts, ARefusalDoesNotEndWhatWasEverUnknown)
{
    Hand mine = hand(1);
    begin(a(), mine);
    EXPECT_EQ(finish(a(), mine, FinishAs::unknown), V::done);
    for (FinishAs how : {FinishAs::refused, FinishAs::free}) {
        Hand other = hand(1);
        other.facts.flags = kWasVerified | kEverUnknown;
        ASSERT_EQ(resume(b(), other).verdict, V::resumed);
        EXPECT_EQ(finish(b(), other, how), V::done);
        EXPECT_EQ(seen(mine).state, ClaimState::unknown);
        Hand last = hand(1);
        EXPECT_EQ(resume(c(), last).settle, mine.settle);
        lapse(c(), last);
    }
}

// Its owner knows that it was refused, and no other has asked.
TEST_F(StoreScripts, ARefusalThatIsLateCountsIfNoOtherAsked)
{
    Hand mine = hand(1);
    begin(a(), mine);
    lapse(a(), mine);
    EXPECT_EQ(take(b(), hand(1)).state, ClaimState::unknown);
    EXPECT_EQ(finish(a(), mine, FinishAs::refused), V::done);
    KeptAnswer again = take(b(), hand(1));
    EXPECT_EQ(again.verdict, V::taken);
    EXPECT_EQ(again.state, ClaimState::refused);
}

TEST_F(StoreScripts, ARefusedPaymentIsTakenAgainAndSaidToBeOne)
{
    Hand mine = hand(1);
    begin(a(), mine);
    EXPECT_EQ(finish(a(), mine, FinishAs::refused), V::done);
    Hand other = hand(1);
    EXPECT_EQ(take(b(), other).state, ClaimState::refused);
    EXPECT_EQ(take(b(), other).state, ClaimState::refused) << "again";
    EXPECT_EQ(settling(b(), other), V::done);
}

TEST_F(StoreScripts, ProofBeatsDoubt)
{
    // A stalls; B asks the facilitator; A learns that it was paid.
    Hand mine = hand(1);
    begin(a(), mine);
    lapse(a(), mine);
    Hand other = hand(1);
    ASSERT_EQ(resume(b(), other).verdict, V::resumed);
    EXPECT_EQ(finish(a(), mine, FinishAs::refused), V::lost);
    EXPECT_EQ(paid(a(), mine), V::done);
    // B learns it, too, and does not deliver a second time.
    EXPECT_EQ(paid(b(), other), V::lost);
    EXPECT_EQ(finish(b(), other, FinishAs::unknown), V::lost);
    EXPECT_EQ(finish(b(), other, FinishAs::owed), V::lost);
    EXPECT_EQ(finish(a(), mine, FinishAs::delivered), V::done);
    EXPECT_EQ(paid(b(), other), V::lost);
}

TEST_F(StoreScripts, PaidRecreatesAClaimThatWasLost)
{
    Hand mine = hand(1);
    begin(a(), mine);
    a().command({"FLUSHALL"});
    EXPECT_EQ(paid(a(), mine), V::done);
    EXPECT_EQ(seen(mine).record, mine.record);
    // And beats one who took the payment meanwhile and has sent nothing.
    Hand second = hand(2);
    begin(a(), second);
    a().command({"FLUSHALL"});
    Hand other = hand(2);
    take(b(), other);
    EXPECT_EQ(paid(a(), second), V::done);
    EXPECT_EQ(settling(b(), other), V::lost);
}

// x402_settle off, Fast: the claim is the only guard.
TEST_F(StoreScripts, OnTrustNothingIsDeliveredForAClaimOfAnother)
{
    Hand mine = hand(1);
    mine.facts.flags = kWasVerified | kOnlyGuard;
    mine.facts.expires = kNeverExpires;
    EXPECT_EQ(paid(a(), mine, kLease, PaidCall::on_trust), V::lost);
    take(a(), mine);
    a().command({"FLUSHALL"});
    EXPECT_EQ(paid(a(), mine, kLease, PaidCall::on_trust), V::lost);
    take(a(), mine);
    EXPECT_EQ(paid(a(), mine, kLease, PaidCall::on_trust), V::done);
    EXPECT_EQ(paid(a(), mine, kLease, PaidCall::on_trust), V::done);
    EXPECT_EQ(take(b(), hand(1)).verdict, V::held);
    EXPECT_EQ(finish(a(), mine, FinishAs::delivered), V::done);
    EXPECT_EQ(bytes_of({"TTL", key_of(mine, "c:") + id_of(mine)}), "-1");
    EXPECT_EQ(paid(b(), hand(1), kLease, PaidCall::on_trust), V::lost);
}

TEST_F(StoreScripts, ContentIsOwedThreeTimesAtMost)
{
    Hand mine = hand(1);
    begin(a(), mine);
    EXPECT_EQ(paid(a(), mine, 0), V::done);
    for (unsigned count = 2; count <= kMaxExecutions; count++) {
        Hand other = hand(1);
        KeptAnswer resumed = resume(b(), other);
        ASSERT_EQ(resumed.verdict, V::resumed);
        EXPECT_EQ(resumed.executions, count - 1);
        other.facts.executions = count;
        EXPECT_EQ(paid(b(), other), V::done);
        EXPECT_EQ(resume(a(), hand(1)).verdict, V::lost);
        EXPECT_EQ(finish(b(), other, FinishAs::owed), V::done);
    }
    EXPECT_EQ(resume(b(), hand(1)).verdict, V::lost);
    EXPECT_TRUE(take(a(), hand(2)).older.empty());
}

TEST_F(StoreScripts, TakeBringsWhatIsOwedOrUnknown)
{
    Hand owed = hand(1);
    begin(a(), owed);
    paid(a(), owed, 0);
    Hand unknown = hand(2);
    begin(a(), unknown);
    finish(a(), unknown, FinishAs::unknown);
    Hand on_the_wire = hand(3);
    begin(a(), on_the_wire);
    Hand forged = hand(4);
    forged.facts.flags = 0;
    begin(a(), forged);
    finish(a(), forged, FinishAs::unknown);
    Hand of_another = hand(5, 64);  // in the same shard
    begin(a(), of_another);
    paid(a(), of_another, 0);
    ASSERT_EQ(of_another.claim.shard, owed.claim.shard);

    KeptAnswer taken = take(b(), hand(6));
    ASSERT_EQ(taken.older.size(), 2u);
    EXPECT_EQ(taken.older[0].key, owed.claim.key);
    EXPECT_EQ(taken.older[0].state, ClaimState::paid);
    EXPECT_FALSE(taken.older[0].in_use());
    EXPECT_EQ(taken.older_records[0], owed.record);
    EXPECT_EQ(taken.older[1].key, unknown.claim.key);

    Hand other = hand(1);
    ASSERT_EQ(resume(b(), other).verdict, V::resumed);
    EXPECT_EQ(take(b(), hand(7)).older.size(), 1u);
    finish(b(), other, FinishAs::delivered);
    EXPECT_EQ(take(b(), hand(8)).older.size(), 1u);
    // Eight of them at most.
    for (unsigned number = 20; number < 40; number++) {
        Hand more = hand(number);
        begin(a(), more);
        paid(a(), more, 0);
    }
    EXPECT_EQ(take(b(), hand(9)).older.size(), kMaxOlder);
}

TEST_F(StoreScripts, AMachineTellsAStoreThatForgotEverything)
{
    Hand on_the_wire = hand(1), unknown = hand(2), owed = hand(3),
         delivered = hand(4), refused = hand(5);
    for (const Hand &mine : {on_the_wire, unknown, owed, delivered, refused}) {
        begin(a(), mine);
    }
    a().command({"FLUSHALL"});
    EXPECT_EQ(settling(a(), on_the_wire, SettlingCall::repeated), V::done);
    EXPECT_EQ(finish(a(), unknown, FinishAs::unknown), V::done);
    EXPECT_EQ(finish(a(), owed, FinishAs::owed), V::done);
    EXPECT_EQ(finish(a(), delivered, FinishAs::delivered), V::done);
    EXPECT_EQ(finish(a(), refused, FinishAs::refused), V::lost);
    EXPECT_EQ(seen(on_the_wire).state, ClaimState::settling);
    EXPECT_EQ(seen(unknown).state, ClaimState::unknown);
    EXPECT_EQ(seen(owed).state, ClaimState::paid);
    EXPECT_EQ(seen(delivered).state, ClaimState::delivered);
    EXPECT_EQ(seen(refused).state, ClaimState::free);
    EXPECT_EQ(resume(b(), hand(2)).settle, unknown.settle);
    EXPECT_EQ(resume(b(), hand(3)).record, owed.record);
}

// What is told again never lowers what others know.
TEST_F(StoreScripts, WhatIsToldAgainOnlyRises)
{
    Hand mine = hand(1);
    begin(a(), mine);
    lapse(a(), mine);
    Hand other = hand(1);
    ASSERT_EQ(resume(b(), other).verdict, V::resumed);
    EXPECT_EQ(settling(a(), mine, SettlingCall::repeated), V::lost);
    EXPECT_EQ(finish(a(), mine, FinishAs::unknown), V::lost);
    ASSERT_EQ(paid(b(), other), V::done);
    EXPECT_EQ(finish(a(), mine, FinishAs::owed), V::lost);
    ASSERT_EQ(finish(b(), other, FinishAs::delivered), V::done);
    EXPECT_EQ(finish(a(), mine, FinishAs::owed), V::lost);
    EXPECT_EQ(finish(a(), mine, FinishAs::unknown), V::lost);
    EXPECT_EQ(settling(a(), mine, SettlingCall::repeated), V::lost);
    EXPECT_EQ(seen(mine).state, ClaimState::delivered);
}

// A delivered while the store was away, and B found the claim owed.
TEST_F(StoreScripts, DeliveredIsAFact)
{
    Hand mine = hand(1);
    begin(a(), mine);
    lapse(a(), mine);
    Hand other = hand(1);
    resume(b(), other);
    paid(b(), other, 0);
    EXPECT_EQ(finish(a(), mine, FinishAs::delivered), V::done);
    EXPECT_EQ(resume(c(), hand(1)).verdict, V::lost);
    EXPECT_EQ(finish(b(), other, FinishAs::owed), V::lost);
}

TEST_F(StoreScripts, UnknownClaimsAreDueAndClosedOnce)
{
    Hand mine = hand(1);
    begin(a(), mine);
    finish(a(), mine, FinishAs::unknown);
    auto due = [&](StoreMachine &machine) {
        return read_due(machine.ask([&](RespWriter &out, ScriptBy by) {
            write_due(out, by, "x402", mine.claim.shard, kMaxDue);
        }));
    };
    EXPECT_EQ(due(a()).verdict, V::done);
    EXPECT_EQ(due(a()).count, 0u);
    double score = std::atof(
        bytes_of({"ZSCORE", key_of(mine, "due"), id_of(mine)}).c_str());
    std::string time = bytes_of({"EVAL", "return redis.call('TIME')[1]", "0"});
    EXPECT_NEAR(score, std::atof(time.c_str()) * 1000 + 5000, 2000);
    a().command({"ZADD", key_of(mine, "due"), "1", id_of(mine)});
    DueAnswer found = due(b());
    ASSERT_EQ(found.count, 1u);
    EXPECT_EQ(found.claims[0], mine.claim.key);
    EXPECT_EQ(due(c()).count, 0u) << "out of sight for a while";
    // What others write there must not hide it.
    for (std::string word : {std::string("x"), std::string(64, 'z')}) {
        a().command({"ZADD", key_of(mine, "due"), "0", word});
    }
    a().command({"ZADD", key_of(mine, "due"), "1", id_of(mine)});
    EXPECT_EQ(due(b()).count, 1u);
    EXPECT_EQ(bytes_of({"ZCARD", key_of(mine, "due")}), "1");

    Hand other = hand(1);
    EXPECT_EQ(resume(b(), other, ResumeWhat::unknown).verdict, V::resumed);
    other.facts.flags |= kEverUnknown;
    EXPECT_EQ(finish(b(), other, FinishAs::unknown), V::done);
    EXPECT_EQ(seen(mine).answer.claim.tries, 2u);

    Hand last = hand(1);
    KeptAnswer ended = resume(c(), last, ResumeWhat::unknown, kMoment + 1200);
    EXPECT_EQ(ended.verdict, V::ended);
    EXPECT_EQ(ended.record, other.record);
    EXPECT_EQ(resume(b(), hand(1), ResumeWhat::unknown, kMoment + 1200).verdict,
              V::lost);
    EXPECT_EQ(finish(c(), last, FinishAs::closed), V::done);
    EXPECT_EQ(finish(c(), last, FinishAs::closed), V::done);
    EXPECT_EQ(seen(mine).state, ClaimState::closed);
    EXPECT_EQ(bytes_of({"EXISTS", key_of(mine, "due")}), "0");
    // Late proof is proof.
    EXPECT_EQ(paid(a(), mine, 0), V::done);
}

TEST_F(StoreScripts, AWatcherLeavesOwedContentAlone)
{
    Hand mine = hand(1);
    begin(a(), mine);
    paid(a(), mine, 0);
    EXPECT_EQ(resume(b(), hand(1), ResumeWhat::unknown).verdict, V::lost);
    EXPECT_EQ(resume(b(), hand(1), ResumeWhat::owed).verdict, V::resumed);
}

TEST_F(StoreScripts, AVerifiedPaymentTakesAForgedOneOver)
{
    Hand forged = hand(1);
    forged.facts.flags = 0;
    begin(a(), forged);
    Hand genuine = hand(1);
    EXPECT_EQ(takeover(b(), genuine), V::lost) << "it is on the wire";
    EXPECT_EQ(take(b(), hand(1)).settle, "");
    finish(a(), forged, FinishAs::unknown);
    KeptAnswer met = take(b(), hand(1));
    EXPECT_EQ(met.verdict, V::held);
    EXPECT_EQ(met.settle, forged.settle);
    EXPECT_EQ(takeover(b(), genuine), V::done);
    EXPECT_EQ(takeover(b(), genuine), V::done) << "again";
    EXPECT_EQ(takeover(c(), hand(1)), V::lost);
    KeptAnswer there = seen(genuine);
    EXPECT_EQ(there.state, ClaimState::unknown);
    EXPECT_EQ(there.flags, kEverUnknown | kTakenOver);
    EXPECT_EQ(there.record, genuine.record);
    EXPECT_EQ(finish(a(), forged, FinishAs::free), V::lost);
    EXPECT_EQ(take(c(), hand(2)).older.size(), 1u) << "of its payer now";
    // A verified payment is not taken over.
    Hand verified = hand(3);
    begin(a(), verified);
    finish(a(), verified, FinishAs::unknown);
    EXPECT_EQ(takeover(b(), hand(3)), V::lost);
    EXPECT_EQ(take(b(), hand(3)).settle, "");
    // The first was genuine after all.
    EXPECT_EQ(paid(a(), forged), V::done);
    EXPECT_EQ(paid(b(), genuine), V::lost);
}

TEST_F(StoreScripts, ALeaseIsRenewed)
{
    Hand mine = hand(1);
    take(a(), mine, 2000);
    EXPECT_EQ(renew(a(), mine), V::done);
    usleep(2020000);
    EXPECT_EQ(take(b(), hand(1)).verdict, V::held);
    EXPECT_EQ(settling(a(), mine), V::done);
    EXPECT_EQ(renew(a(), mine), V::done);
    EXPECT_EQ(paid(a(), mine), V::done);
    EXPECT_EQ(renew(a(), mine), V::done);
    EXPECT_EQ(finish(a(), mine, FinishAs::owed), V::done);
    EXPECT_EQ(renew(a(), mine), V::lost) << "it was given back";
    EXPECT_EQ(renew(a(), hand(7)), V::lost);
}

TEST_F(StoreScripts, UnprovenDeliveriesAreCountedForAllMachines)
{
    auto unproven = [&](StoreMachine &machine, unsigned payment) {
        Hand mine = hand(payment);
        return kept(StoreScript::unproven, mine,
                    machine.ask([&](RespWriter &out, ScriptBy by) {
                        write_unproven(out, by, mine.claim, mine.facts.payer,
                                       3);
                    }))
            .verdict;
    };
    EXPECT_EQ(unproven(a(), 1), V::done);
    EXPECT_EQ(unproven(a(), 1), V::done) << "again";
    EXPECT_EQ(unproven(b(), 2), V::done);
    EXPECT_EQ(unproven(c(), 3), V::done);
    EXPECT_EQ(unproven(a(), 4), V::lost);
    EXPECT_EQ(unproven(b(), 2), V::done);
    Hand payer = hand(0);
    payer.claim.key = payer.facts.payer;
    EXPECT_NEAR(std::stoi(bytes_of({"TTL", "x402:{0}:u:" + id_of(payer)})),
                86400, kSlack);
}

TEST_F(StoreScripts, ANameIsForOnePayment)
{
    Digest name = digest(7, 'n');
    auto note = [&](StoreMachine &machine, const Hand &mine, unsigned shard,
                    NameCall what = NameCall::note) {
        return kept(StoreScript::name, mine,
                    machine.ask([&](RespWriter &out, ScriptBy by) {
                        write_name(out, by, mine.claim, shard, name, 1200,
                                   what);
                    }))
            .verdict;
    };
    Hand first = hand(1), second = hand(2);
    take(a(), first);
    take(b(), second);
    EXPECT_EQ(note(a(), first, 0), V::done);
    EXPECT_EQ(note(a(), first, 0), V::done);
    EXPECT_EQ(note(b(), second, 0), V::name_taken);
    // Given up, refused, or its machine gone: free again.
    first.facts.name = &name;
    EXPECT_EQ(finish(a(), first, FinishAs::free), V::done);
    EXPECT_EQ(note(b(), second, 0), V::done);
    lapse(b(), second);
    Hand third = hand(3);
    begin(c(), third);
    EXPECT_EQ(note(c(), third, 0), V::done);
    EXPECT_EQ(finish(c(), third, FinishAs::refused), V::done);
    Hand fourth = hand(4);
    begin(c(), fourth);
    EXPECT_EQ(note(c(), fourth, 0), V::done);
    paid(c(), fourth);
    finish(c(), fourth, FinishAs::delivered);
    EXPECT_EQ(note(a(), hand(5), 0), V::name_taken);

    // With SETTLING, where nothing was verified.
    Digest with_settling = digest(8, 'n');
    Hand fifth = hand(5), sixth = hand(6);
    fifth.facts.name = sixth.facts.name = &with_settling;
    take(a(), fifth);
    take(b(), sixth);
    EXPECT_EQ(settling(a(), fifth), V::done);
    EXPECT_EQ(settling(b(), sixth), V::name_taken);
    EXPECT_EQ(seen(sixth).state, ClaimState::verifying);

    // In a shard of its own the store asks no claim.
    Hand far = hand(8);
    EXPECT_EQ(note(a(), far, 5), V::done);
    EXPECT_EQ(note(b(), hand(9), 5), V::name_taken);
    EXPECT_EQ(note(b(), hand(9), 5, NameCall::forget), V::done);
    EXPECT_EQ(note(b(), hand(9), 5), V::name_taken) << "it is not its own";
    EXPECT_EQ(note(a(), far, 5, NameCall::forget), V::done);
    EXPECT_EQ(note(b(), hand(9), 5), V::done);
}

// SETTLING's answer was lost, so that nothing was sent.
TEST_F(StoreScripts, ASettlementThatWasNotSentIsFreeAgain)
{
    Hand mine = hand(1);
    begin(a(), mine);
    EXPECT_EQ(finish(a(), mine, FinishAs::free), V::done);
    EXPECT_EQ(finish(a(), mine, FinishAs::free), V::done);
    EXPECT_EQ(bytes_of({"DBSIZE"}), "0");
    Hand other = hand(1);
    begin(b(), other);
    EXPECT_EQ(finish(a(), mine, FinishAs::free), V::lost);
    EXPECT_EQ(paid(b(), other), V::done);
    EXPECT_EQ(finish(b(), other, FinishAs::free), V::lost) << "it is paid";
}

TEST_F(StoreScripts, KeysLiveAsLongAsTheyAreNeeded)
{
    auto ttl = [&](const Hand &mine, const char *kind) {
        return std::atoi(bytes_of({"TTL", key_of(mine, kind)}).c_str());
    };
    Hand mine = hand(1);
    std::string claim = "c:" + id_of(mine), settle = "b:" + id_of(mine);
    take(a(), mine);
    EXPECT_NEAR(ttl(mine, claim.c_str()), 120, kSlack);
    settling(a(), mine);
    EXPECT_NEAR(ttl(mine, claim.c_str()), 4800, kSlack);
    EXPECT_NEAR(ttl(mine, settle.c_str()), 4800, kSlack);
    lapse(a(), mine);
    Hand other = hand(1);
    resume(b(), other);
    EXPECT_NEAR(ttl(mine, claim.c_str()), 4800, kSlack);
    paid(b(), other);
    EXPECT_NEAR(ttl(mine, claim.c_str()), 4800, kSlack);
    finish(b(), other, FinishAs::delivered);
    EXPECT_NEAR(ttl(mine, claim.c_str()), 1200, kSlack);
    // The list of what may be owed lives as long as the longest of them.
    Hand owed = hand(3, 64), longer = hand(4, 64), for_good = hand(5, 64);
    longer.facts.expires += 100;
    for_good.facts.expires = kNeverExpires;
    auto of_list = [&] {
        return std::atoi(bytes_of({"EVAL",
                                   "for _, key in ipairs(redis.call('KEYS', "
                                   "'x402:{0}:o:*')) do if redis.call('ZSCORE',"
                                   " key, ARGV[1]) then return "
                                   "redis.call('TTL', key) end end",
                                   "0", id_of(longer)})
                             .c_str());
    };
    begin(a(), longer);
    EXPECT_NEAR(of_list(), 4900, kSlack);
    begin(a(), owed);
    EXPECT_NEAR(of_list(), 4900, kSlack);
    begin(a(), for_good);
    EXPECT_EQ(of_list(), -1);
    paid(a(), owed, 0);
    EXPECT_EQ(of_list(), -1);
    // A payment that has expired meanwhile.
    Hand late = hand(2);
    begin(a(), late);
    late.facts.now = late.facts.expires + 5;
    EXPECT_EQ(paid(a(), late), V::done);
    EXPECT_NEAR(ttl(late, ("c:" + id_of(late)).c_str()), 3600, kSlack);
}

TEST_F(StoreScripts, AClaimOfAnotherLayoutIsAnError)
{
    Hand mine = hand(1);
    std::string other(40, '\x7f');
    a().command({"SET", key_of(mine, "c:") + id_of(mine), other});
    KeptAnswer answer = take(a(), mine);
    EXPECT_EQ(answer.verdict, V::error);
    EXPECT_EQ(answer.error.substr(0, 10), "X402LAYOUT");
    EXPECT_EQ(bytes_of({"GET", key_of(mine, "c:") + id_of(mine)}), other);
}

class FullStore : public StoreRig {};

// Full: no new payments, and those that were begun end.
TEST_F(FullStore, RefusesTakeAndNothingElse)
{
    Hand mine = hand(1);
    begin(a(), mine);
    Hand unknown = hand(2);
    begin(a(), unknown);
    finish(a(), unknown, FinishAs::unknown);
    Hand waits = hand(3);
    take(a(), waits);
    a().command({"CONFIG", "SET", "maxmemory", "1mb"});
    KeptAnswer refused = take(b(), hand(4));
    EXPECT_EQ(refused.verdict, V::error);
    EXPECT_EQ(refused.error.substr(0, 3), "OOM");
    EXPECT_EQ(settling(a(), waits), V::done);
    EXPECT_EQ(paid(a(), mine), V::done);
    EXPECT_EQ(finish(a(), mine, FinishAs::delivered), V::done);
    EXPECT_EQ(resume(b(), hand(2)).verdict, V::resumed);
    EXPECT_EQ(renew(a(), waits), V::done);
    a().command({"CONFIG", "SET", "maxmemory", "0"});
}

class ClusterStore : public StoreRig {
protected:
    const RedisServer &server() override
    {
        static RedisServer cluster({"--cluster-enabled", "yes"});
        return cluster;
    }
    void SetUp() override
    {
        StoreRig::SetUp();
        a().command({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"});
        for (int wait = 0; wait < 500; wait++) {
            if (a().command({"CLUSTER", "INFO"})
                    .root()
                    .text.find("cluster_state:ok")
                != std::string_view::npos) {
                break;
            }
            usleep(10000);
        }
        StoreMachine::acknowledged = 0;
    }
};

TEST_F(ClusterStore, EachScriptStaysInOneSlot)
{
    Hand owed = hand(1);
    begin(a(), owed);
    paid(a(), owed, 0);
    Hand mine = hand(2);
    Digest name = digest(7, 'n');
    mine.facts.name = &name;
    EXPECT_EQ(take(a(), mine).older.size(), 1u);
    EXPECT_EQ(settling(a(), mine), V::done);
    EXPECT_EQ(finish(a(), mine, FinishAs::unknown), V::done);
    EXPECT_EQ(resume(b(), hand(2)).verdict, V::resumed);
    EXPECT_EQ(paid(a(), mine), V::done);
    EXPECT_EQ(finish(a(), mine, FinishAs::delivered), V::done);
    // Two tags are refused, so that the test can fail.
    Hand torn = hand(3);
    const RespReply &reply = a().command(
        {"EVAL", store_script_text(StoreScript::take), "2",
         "x402:{0}:c:" + id_of(torn), "x402:{1}:o:1", "token", "1000", "0"});
    EXPECT_EQ(reply.error_word(), "CROSSSLOT");
}

class UserOfTheStore : public StoreRig {
protected:
    // The rights in docs/several-machines.md, which operators copy.
    static std::vector<std::string> rights()
    {
        std::ifstream page("docs/several-machines.md");
        std::string line;
        while (std::getline(page, line)) {
            if (line.rfind("user x402 on ", 0) == 0) {
                break;
            }
        }
        std::vector<std::string> words = {"ACL", "SETUSER"};
        std::istringstream in(
            line.substr(std::min<std::size_t>(5, line.size())));
        for (std::string word; in >> word;) {
            words.push_back(word[0] == '>' ? "nopass" : word);
        }
        return words;
    }
};

TEST_F(UserOfTheStore, NeedsNoOtherRights)
{
    ASSERT_GT(rights().size(), 10u);
    ASSERT_EQ(a().command(rights()).root().text, "OK");
    for (StoreMachine *machine : {&b(), &c()}) {
        ASSERT_EQ(machine->command({"AUTH", "x402", "any"}).root().text, "OK");
    }
    EXPECT_EQ(b().command({"KEYS", "*"}).error_word(), "NOPERM");
    EXPECT_EQ(b().command({"SET", "other", "1"}).error_word(), "NOPERM");
    EXPECT_EQ(b().command({"INFO"}).root().type, RespType::bytes);
    EXPECT_EQ(b().command({"SET", "x402:epoch", "1", "NX", "GET"}).root().type,
              RespType::nothing);
    a().command({"SCRIPT", "FLUSH"});
    Digest name = digest(7, 'n');
    Hand owed = hand(1), mine = hand(2), forged = hand(3);
    mine.facts.name = &name;
    forged.facts.flags = 0;
    begin(b(), owed);
    EXPECT_EQ(paid(b(), owed, 0), V::done);
    EXPECT_EQ(take(b(), mine).older.size(), 1u);
    EXPECT_EQ(settling(b(), mine), V::done);
    EXPECT_EQ(renew(b(), mine), V::done);
    EXPECT_EQ(finish(b(), mine, FinishAs::refused), V::done);
    EXPECT_EQ(resume(b(), hand(1)).verdict, V::resumed);
    begin(b(), forged);
    EXPECT_EQ(finish(b(), forged, FinishAs::unknown), V::done);
    EXPECT_EQ(takeover(b(), hand(3)), V::done);
    Hand for_good = hand(4);
    for_good.facts.expires = kNeverExpires;
    begin(b(), for_good);
    EXPECT_EQ(finish(b(), for_good, FinishAs::delivered), V::done);
    const RespReply &due = b().ask([&](RespWriter &out, ScriptBy by) {
        write_due(out, by, "x402", 0, 1);
    });
    EXPECT_EQ(read_due(due).verdict, V::done);
    const RespReply &unproven = b().ask([&](RespWriter &out, ScriptBy by) {
        write_unproven(out, by, mine.claim, mine.facts.payer, 3);
    });
    EXPECT_FALSE(unproven.is_error()) << unproven.root().text;
}

class ReplicaStore : public StoreRig {};

TEST_F(ReplicaStore, IsReadOnly)
{
    take(a(), hand(1));
    a().command({"REPLICAOF", "127.0.0.1", "1"});
    KeptAnswer answer = take(a(), hand(2));
    EXPECT_EQ(answer.verdict, V::error);
    EXPECT_EQ(answer.error.substr(0, 8), "READONLY");
    a().command({"REPLICAOF", "NO", "ONE"});
}

}  // namespace
}  // namespace x402
