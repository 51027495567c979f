// SPDX-License-Identifier: Apache-2.0
#include "session/payment_order.hpp"

#include <array>
#include <random>

#include "session/claim_change.hpp"
#include "session/claim_zone.hpp"
#include "session/payment_name.hpp"

namespace x402 {
namespace {

TEST(PaymentOrder, TrustsAVerifiedPaymentUnlessMoneyGoesFirst)
{
    EXPECT_EQ(verified_event(true, false, false), PaymentEvent::verify_valid);
    EXPECT_EQ(verified_event(true, false, true), PaymentEvent::verify_valid);
    EXPECT_EQ(verified_event(true, true, false),
              PaymentEvent::verify_settle_first);
    EXPECT_EQ(verified_event(false, false, false),
              PaymentEvent::verify_settle_first);
}

TEST(PaymentOrder, NeverTakesTheMaximumOfUptoBeforeContent)
{
    EXPECT_EQ(verified_event(false, false, true), PaymentEvent::verify_failed);
    EXPECT_EQ(verified_event(false, true, true),
              PaymentEvent::verify_settle_first);
}

TEST(PaymentOrder, OwesWhatDidNotLeaveWholeByTheFaultOfThisSide)
{
    for (PaymentState state :
         {PaymentState::delivering, PaymentState::delivered}) {
        EXPECT_EQ(end_event(state, {false, false}),
                  PaymentEvent::content_broken);
        EXPECT_EQ(end_event(state, {false, true}), PaymentEvent::request_gone);
        EXPECT_EQ(end_event(state, {true, false}), PaymentEvent::request_gone);
    }
    // What was not released is not broken content.
    EXPECT_EQ(end_event(PaymentState::paid, {}), PaymentEvent::request_gone);
    EXPECT_EQ(end_event(PaymentState::holding, {}), PaymentEvent::request_gone);
}

class PaymentOrderOf : public ClaimZone {};

TEST_F(PaymentOrderOf, VerifiesANameAndAPayerWithAnOlderClaim)
{
    ClaimFacts facts = facts_of(2);
    EXPECT_EQ(verify_need(table_, facts, false, kNow), VerifyNeed::none);
    EXPECT_EQ(verify_need(table_, facts, true, kNow), VerifyNeed::verify);
    owed(1);
    EXPECT_EQ(verify_need(table_, facts, false, kNow), VerifyNeed::verify);
}

TEST_F(PaymentOrderOf, VerifiesWhatHasNoRoomUnverified)
{
    // An eighth of the smallest table, and one client's eighth of that.
    ClaimFacts facts = facts_of(2);
    ClaimRef ref = take(1);
    table_.set_settling(ref, "bytes", 42, kNow);
    EXPECT_EQ(verify_need(table_, facts, false, kNow),
              VerifyNeed::verify_for_room);
}

TEST_F(PaymentOrderOf, AsksTheFacilitatorUnlessToldOtherwise)
{
    ClaimFacts facts = facts_of(1);
    EXPECT_FALSE(
        may_serve_unverified(table_, facts, false, VerifyMode::remote, kNow));
    for (VerifyMode mode : {VerifyMode::off, VerifyMode::local}) {
        EXPECT_TRUE(may_serve_unverified(table_, facts, false, mode, kNow));
        EXPECT_FALSE(may_serve_unverified(table_, facts, true, mode, kNow));
    }
    owed(2);
    EXPECT_FALSE(
        may_serve_unverified(table_, facts, false, VerifyMode::off, kNow));
}

TEST_F(PaymentOrderOf, TrustsAPayerWhoseSettlementsSucceeded)
{
    auto trusted = [this] {
        return may_serve_unverified(table_, facts_of(9), false,
                                    VerifyMode::trusted, kNow);
    };
    auto pay = [this](unsigned number) {
        ClaimRef ref = take(number);
        table_.set_verified(ref);
        table_.set_settling(ref, "bytes", 42, kNow);
        return ref;
    };
    for (unsigned number : {1, 2, 3}) {
        EXPECT_FALSE(trusted());
        ClaimRef ref = pay(number);
        table_.set_paid(ref, "{}", kNow);
        table_.set_delivered(ref, kNow);
    }
    EXPECT_TRUE(trusted());
    table_.set_refused(pay(4), kNow);
    EXPECT_FALSE(trusted());
}

// Test money, or money that a payer sends to itself at a server that sells for
// many, says nothing about other money.
TEST_F(PaymentOrderOf, TrustsAPayerUnderTheTermsThatItHasPaidUnder)
{
    ClaimFacts real = facts_of(9);
    real.binding.terms.fill(0x44);
    auto trusted = [&] {
        return may_serve_unverified(table_, real, false, VerifyMode::trusted,
                                    kNow);
    };
    auto pay = [&](unsigned number, const Digest &terms) {
        ClaimFacts facts = facts_of(number);
        facts.binding.terms = terms;
        ClaimRef ref;
        EXPECT_EQ(table_.take(facts, owner_, kNow, ref), TakeOutcome::taken);
        table_.set_verified(ref);
        table_.set_settling(ref, "bytes", 42, kNow);
        table_.set_paid(ref, "{}", kNow);
        table_.set_delivered(ref, kNow);
    };
    for (unsigned number : {1, 2, 3, 4}) {
        pay(number, facts_of(number).binding.terms);
    }
    EXPECT_TRUE(table_.settled_lately(facts_of(9)));
    EXPECT_FALSE(trusted());
    ClaimRef ref;
    ASSERT_EQ(table_.take(real, owner_, kNow, ref), TakeOutcome::taken);
    EXPECT_FALSE(table_.set_served_unverified(ref, true)) << "nor is it spent";
    table_.free(ref);
    for (unsigned number : {5, 6, 7}) {
        EXPECT_FALSE(trusted());
        pay(number, real.binding.terms);
    }
    EXPECT_TRUE(trusted());
    // An unknown outcome in test money takes nothing of it either.
    ref = take(8);
    table_.set_verified(ref);
    table_.set_settling(ref, "bytes", 42, kNow);
    table_.set_unknown(ref, kNow);
    EXPECT_FALSE(table_.settled_lately(facts_of(9)));
    EXPECT_TRUE(table_.settled_lately(real));
}

// Refused or abandoned, or never heard of again.
TEST_F(PaymentOrderOf, WorksForNothingNoMoreOftenThanItWasPaid)
{
    auto pay = [this](unsigned number) {
        ClaimRef ref = take(number);
        table_.set_verified(ref);
        table_.set_settling(ref, "bytes", 42, kNow);
        table_.set_paid(ref, "{}", kNow);
        table_.set_delivered(ref, kNow);
    };
    auto serve = [this](unsigned number, unsigned client) {
        ClaimFacts facts = facts_of(9);
        facts.key = facts_of(number).key;
        facts.client = client;
        ClaimRef ref;
        EXPECT_EQ(table_.take(facts, owner_, kNow, ref), TakeOutcome::taken);
        if (may_serve_unverified(table_, facts, false, VerifyMode::trusted,
                                 kNow)
            && table_.set_served_unverified(ref, true)) {
            return ref;
        }
        table_.free(ref);
        return ClaimRef();
    };
    for (unsigned number = 0; number < 5; number++) {
        pay(number);
    }
    ClaimRef refused = serve(10, 1);
    ASSERT_TRUE(refused);
    table_.set_settling(refused, "bytes", 42, kNow);
    table_.set_refused(refused, kNow);
    ClaimRef abandoned = serve(11, 2);
    ASSERT_TRUE(abandoned);
    table_.abandon(abandoned, kNow);
    ClaimRef good = serve(12, 3);
    ASSERT_TRUE(good);
    EXPECT_FALSE(serve(13, 4)) << "its record is used up";
    table_.set_settling(good, "bytes", 42, kNow);
    table_.set_paid(good, "{}", kNow);
    EXPECT_TRUE(serve(14, 4)) << "what was paid gives its part back";
    table_.free(look(14).ref);
    EXPECT_TRUE(serve(15, 5)) << "and counts itself";
    EXPECT_FALSE(serve(16, 6));
}

class PayerStreams : public PaymentOrderOf {
protected:
    void pay(unsigned number)
    {
        ClaimRef ref = take(number);
        table_.set_verified(ref);
        settle(ref);
        table_.set_delivered(ref, kNow);
    }
    void settle(ClaimRef ref)
    {
        table_.set_settling(ref, "bytes", 42, kNow);
        table_.set_paid(ref, "{}", kNow, false);
    }
    // Verified, and its content leaves at once; else an empty one.
    ClaimRef stream(unsigned number, unsigned least = 3)
    {
        ClaimRef ref = take(number);
        table_.set_verified(ref);
        if (table_.set_streamed(ref, least)) {
            return ref;
        }
        table_.free(ref);
        return {};
    }
};

TEST_F(PayerStreams, SpendAllOfTheRecordUntilTheyAreSettled)
{
    pay(1);
    pay(2);
    EXPECT_FALSE(stream(3));
    pay(4);
    EXPECT_FALSE(stream(5, 4));
    ClaimRef first = stream(5);
    ASSERT_TRUE(first);
    EXPECT_FALSE(stream(6)) << "one at a time";
    pay(7);
    pay(11);
    EXPECT_FALSE(stream(8, 1)) << "payments that are held do not count now";
    settle(first);
    EXPECT_FALSE(table_.resume(first, owner_)) << "nothing is owed for it";
    table_.set_delivered(first, kNow);
    EXPECT_FALSE(stream(9, 5)) << "one settlement more than before";
    ClaimRef second = stream(9, 4);
    ASSERT_TRUE(second);
    table_.set_settling(second, "bytes", 42, kNow);
    table_.set_refused(second, kNow);
    EXPECT_FALSE(stream(10, 1));
}

TEST_F(PayerStreams, OfUnknownOutcomeAreNotServedAgain)
{
    for (unsigned number : {1, 2, 3}) {
        pay(number);
    }
    ClaimRef ref = stream(5);
    ASSERT_TRUE(ref);
    table_.set_settling(ref, "bytes", 42, kNow);
    table_.set_unknown(ref, kNow);
    EXPECT_TRUE(table_.view(ref).streamed);
    EXPECT_FALSE(stream(6, 1));
    table_.set_paid(ref, "{}", kNow, false);
    table_.set_owed(ref);
    ClaimView claim;
    EXPECT_FALSE(table_.resume_owed({facts_of(5).payer, facts_of(5).binding},
                                    owner_, kNow, claim));
}

// Only what a facilitator has verified.
TEST_F(PayerStreams, AreVerified)
{
    for (unsigned number : {1, 2, 3}) {
        pay(number);
    }
    EXPECT_FALSE(table_.set_streamed(take(5), 3));
}

class PaymentOrderOfAShop : public ClaimZone {
protected:
    PaymentOrderOfAShop() : ClaimZone(1024 * 1024) {}
};

TEST_F(PaymentOrderOfAShop, ServesSoManyAtOnceOnTheBestRecord)
{
    for (unsigned number = 0; number < 3 * kMaxWaiting; number++) {
        ClaimRef ref = take(number);
        table_.set_verified(ref);
        table_.set_settling(ref, "bytes", 42, kNow);
        table_.set_paid(ref, "{}", kNow);
        table_.set_delivered(ref, kNow);
    }
    unsigned served = 0;
    while (table_.set_served_unverified(take(1000 + served), true)) {
        served++;
    }
    EXPECT_EQ(served, kMaxWaiting);
}

TEST_F(PaymentOrderOf, ForgetsTrustAfterAnUnknownOutcomeOfThatPayerAlone)
{
    auto paid = [this](unsigned number) {
        ClaimRef ref = take(number);
        table_.set_verified(ref);
        table_.set_settling(ref, "bytes", 42, kNow);
        table_.set_paid(ref, "{}", kNow);
        table_.set_delivered(ref, kNow);
    };
    paid(1);
    paid(2);
    paid(3);
    ClaimRef forged = take(4);
    table_.set_settling(forged, "bytes", 42, kNow);
    table_.set_unknown(forged, kNow);
    EXPECT_TRUE(table_.settled_lately(facts_of(9)));
    ClaimRef own = take(5);
    table_.set_verified(own);
    table_.set_settling(own, "bytes", 42, kNow);
    table_.set_unknown(own, kNow);
    EXPECT_FALSE(table_.settled_lately(facts_of(9)));
}

TEST_F(PaymentOrderOf, AsksAboutAClientWhoseUnverifiedPaymentWasRefused)
{
    ClaimFacts facts = facts_of(1);
    facts.client = 77;
    ClaimRef ref;
    ASSERT_EQ(table_.take(facts, owner_, kNow, ref), TakeOutcome::taken);
    EXPECT_TRUE(table_.set_served_unverified(ref, false));
    EXPECT_EQ(look(1).executions, 1u);
    table_.set_settling(ref, "bytes", 42, kNow);
    table_.set_refused(ref, kNow);
    auto serves = [this](std::uint32_t client, std::int64_t now) {
        ClaimFacts next = facts_of(2);
        next.client = client;
        return may_serve_unverified(table_, next, false, VerifyMode::off, now);
    };
    EXPECT_FALSE(serves(77, kNow));
    EXPECT_TRUE(serves(78, kNow));
    EXPECT_TRUE(serves(77, kNow + 601));
    // Its payer is not to blame: anyone could have named it.
    EXPECT_FALSE(table_.settles_first(facts.payer, kNow));
}

TEST_F(PaymentOrderOf, CarriesOutWhatTheSessionDecides)
{
    apply_claim_change(table_, take(1), ClaimChange::keep, kNow);
    EXPECT_EQ(state(1), ClaimState::verifying);
    apply_claim_change(table_, take(2), ClaimChange::free, kNow);
    EXPECT_EQ(state(2), ClaimState::free);
    const std::pair<ClaimChange, ClaimState> kCases[] = {
        {ClaimChange::delivered, ClaimState::delivered},
        {ClaimChange::refused, ClaimState::refused},
        {ClaimChange::unknown, ClaimState::unknown},
    };
    unsigned number = 3;
    for (const auto &[change, expected] : kCases) {
        apply_claim_change(table_, take(number), change, kNow);
        EXPECT_EQ(state(number), expected);
        number++;
    }
    ClaimRef paid = take(number);
    table_.set_paid(paid, "{}", kNow);
    apply_claim_change(table_, paid, ClaimChange::owed, kNow);
    EXPECT_EQ(state(number), ClaimState::paid);
    EXPECT_FALSE(look(number).in_use);
}

TEST_F(PaymentOrderOf, ANameIsFreeAgainWhenItsPaymentCameToNothing)
{
    std::vector<std::uint64_t> memory(PaymentIds::least_bytes() / 8 + 1);
    ASSERT_TRUE(PaymentIds::format(memory.data(), memory.size() * 8));
    PaymentIds names(memory.data());
    table_.use_names(&names);
    PaymentName name(digest_of(7));
    ClaimFacts first = facts_of(1);
    ClaimFacts second = facts_of(2);
    ClaimRef ref = take(1);
    std::uint32_t place = 0;
    ASSERT_EQ(names.note(name, first.key, kExpires, kNow, place),
              PaymentIdNote::noted);
    EXPECT_FALSE(name_is_taken(table_, names, name, first.key, kNow));
    EXPECT_TRUE(name_is_taken(table_, names, name, second.key, kNow));
    // The claim is gone without the name knowing: it was never set.
    table_.free(ref);
    EXPECT_FALSE(name_is_taken(table_, names, name, second.key, kNow));
    EXPECT_FALSE(names.holder_of(name, kNow));
    // Of a paid payment it is kept.
    ref = take(1);
    ASSERT_EQ(names.note(name, first.key, kExpires, kNow, place),
              PaymentIdNote::noted);
    table_.set_name(ref, place);
    table_.set_paid(ref, "{}", kNow);
    table_.set_delivered(ref, kNow);
    EXPECT_TRUE(name_is_taken(table_, names, name, second.key, kNow));
}

// A payment that begins again does not get the cell that it had.
TEST_F(PaymentOrderOf, ALivingClaimKeepsItsNameWhateverBecomesOfItsFormerCell)
{
    std::vector<std::uint64_t> memory(PaymentIds::least_bytes());
    ASSERT_TRUE(PaymentIds::format(memory.data(), memory.size() * 8));
    PaymentIds names(memory.data());
    table_.use_names(&names);
    constexpr unsigned kPayments = 7;
    std::array<ClaimRef, kPayments> refs{};
    std::minstd_rand random(7);
    auto name_of = [](unsigned i) { return PaymentName(digest_of(100 + i)); };
    for (unsigned step = 0; step < 2000; step++) {
        unsigned i = static_cast<unsigned>(random() % kPayments);
        if (refs[i]) {
            table_.free(refs[i]);
            refs[i] = ClaimRef();
            continue;
        }
        if (try_take(i + 1, refs[i]) != TakeOutcome::taken) {
            continue;
        }
        std::uint32_t place = 0;
        ASSERT_EQ(
            names.note(name_of(i), facts_of(i + 1).key, kExpires, kNow, place),
            PaymentIdNote::noted);
        table_.set_name(refs[i], place);
        for (unsigned each = 0; each < kPayments; each++) {
            ASSERT_EQ(names.holder_of(name_of(each), kNow).has_value(),
                      static_cast<bool>(refs[each]))
                << "step " << step << ", payment " << each;
        }
    }
}

}  // namespace
}  // namespace x402
