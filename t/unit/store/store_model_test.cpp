// SPDX-License-Identifier: Apache-2.0
// The scripts against a std::map: thousands of random calls of three machines
// that retry, lose answers, die, come back late, and of a store that forgets.
// What a machine does next is what the local claim table does next, too
// (session/claim_table_model_test.cpp); what each call must answer is written
// here once more, in the words of the contract.
#include <algorithm>
#include <map>
#include <random>

#include "store/store_rig.hpp"

namespace x402 {
namespace {

using V = StoreVerdict;
using S = ClaimState;

constexpr unsigned kCalls = 12000;
constexpr unsigned kPayments = 24;
constexpr unsigned kPayers = 3;

struct Known {
    S state = S::free;
    bool live = false;  // its lease is not over
    Hand hand;          // of its last owner
    std::uint8_t flags = 0;
    unsigned executions = 0;
    std::string record;
    std::string settle;
};

class StoreModel : public StoreRig {
protected:
    void SetUp() override
    {
        StoreRig::SetUp();
        const char *given = std::getenv("X402_SEED");
        seed_ = given ? static_cast<unsigned>(std::atoi(given))
                      : std::random_device()();
        random_.seed(seed_);
        std::printf("seed %u; again with X402_SEED=%u\n", seed_, seed_);
        for (unsigned i = 0; i < kStoreScripts; i++) {
            a().command({"SCRIPT", "LOAD",
                         store_script_text(static_cast<StoreScript>(i))});
        }
        StoreMachine::acknowledged = 0;
    }

    unsigned below(unsigned limit)
    {
        return static_cast<unsigned>(random_()) % limit;
    }
    StoreMachine &any() { return *machines_[below(3)]; }
    Hand new_hand(unsigned payment) { return hand(payment, payment % kPayers); }

    // Now and then its first answer is lost, and it is made again.
    KeptAnswer call(StoreScript script, const Hand &mine,
                    const StoreMachine::Write &write)
    {
        StoreMachine &machine = any();
        if (below(8) == 0) {
            machine.ask_and_lose(write);
            lost_++;
        }
        return kept(script, mine, machine.ask(write));
    }

    static bool owns(const Known &known, const Hand &mine)
    {
        return known.state != S::free
               && known.hand.claim.token == mine.claim.token;
    }
    // What a settlement is whose machine is silent.
    static void lapse_in_model(Known &known)
    {
        if (known.state == S::settling && !known.live) {
            known.state = S::unknown;
            known.flags |= kEverUnknown | kAbandoned;
        }
    }
    static bool is_open(S state)
    {
        return state == S::verifying || state == S::settling
               || state == S::unknown;
    }
    static bool is_silent(S state)
    {
        return state == S::free || state == S::refused || state == S::verifying;
    }

    void enter(Known &known, S state, bool live, const Hand &mine)
    {
        bool begins = is_silent(known.state) && known.state != S::verifying;
        known.executions =
            std::max(begins ? 0 : known.executions, mine.facts.executions);
        known.state = state;
        known.live = live;
        known.hand = mine;
        known.flags = mine.facts.flags;
        known.record = mine.record;
    }

    void do_take(unsigned payment);
    void do_settling(Known &known, const Hand &mine, SettlingCall how);
    void do_paid(Known &known, const Hand &mine, bool leaves);
    void do_finish(Known &known, const Hand &mine, FinishAs how);
    void do_resume(unsigned payment);
    void do_lapse(Known &known);
    void lose(Known &known);
    void advance(Known &known);
    void act_late(unsigned payment);
    void one_call();
    void compare(unsigned payment);
    void compare_older(const KeptAnswer &taken, unsigned payment);

    unsigned seed_ = 0;
    std::minstd_rand random_;
    std::map<unsigned, Known> known_;
    std::vector<std::pair<unsigned, Hand>> late_;
    unsigned lost_ = 0;
    unsigned older_ = 0;
    std::map<V, unsigned> verdicts_[kStoreScripts];
};

void StoreModel::do_take(unsigned payment)
{
    Known &known = known_[payment];
    Hand mine = new_hand(payment);
    KeptAnswer answer = call(StoreScript::take, mine, take_call(mine));
    verdicts_[0][answer.verdict]++;
    if (known.state != S::free && known.state != S::refused) {
        ASSERT_EQ(answer.verdict, V::held);
        return;
    }
    ASSERT_EQ(answer.verdict, V::taken);
    ASSERT_EQ(answer.state, known.state);
    compare_older(answer, payment);
    known = Known();
    known.state = S::verifying;
    known.live = true;
    if (below(4) == 0) {
        mine.facts.flags = 0;
        mine.facts.executions = 0;
    }
    // TAKE has said kWasVerified, which counts for nothing yet.
    known.flags = kWasVerified;
    known.hand = mine;
}

void StoreModel::compare_older(const KeptAnswer &taken, unsigned payment)
{
    unsigned there = 0;
    for (auto &[number, other] : known_) {
        Known seen = other;
        lapse_in_model(seen);
        bool verified = seen.flags & (kWasVerified | kTakenOver);
        bool older = number % kPayers == payment % kPayers && number != payment
                     && ((seen.state == S::paid && !seen.live
                          && seen.executions < kMaxExecutions)
                         || (seen.state == S::unknown && verified)
                         || (seen.state == S::settling && verified
                             && (seen.flags & kEverUnknown)));
        there += older ? 1 : 0;
        for (std::size_t i = 0; i < taken.older.size(); i++) {
            if (taken.older[i].key == digest(number, 'c')) {
                ASSERT_TRUE(older) << "payment " << number;
                ASSERT_EQ(taken.older[i].state, seen.state);
                ASSERT_EQ(taken.older[i].in_use(), seen.live);
                ASSERT_EQ(taken.older_records[i], seen.record);
                older_++;
            }
        }
    }
    ASSERT_EQ(taken.older.size(), std::min<std::size_t>(there, kMaxOlder));
}

void StoreModel::do_settling(Known &known, const Hand &mine, SettlingCall how)
{
    KeptAnswer answer =
        call(StoreScript::settling, mine, settling_call(mine, how));
    verdicts_[1][answer.verdict]++;
    Known seen = known;
    lapse_in_model(seen);
    bool may = (owns(seen, mine) && is_open(seen.state))
               || (how == SettlingCall::repeated && is_silent(seen.state));
    ASSERT_EQ(answer.verdict, may ? V::done : V::lost);
    if (!may) {
        ASSERT_EQ(answer.state, seen.state);
        return;
    }
    bool keeps = (mine.facts.flags & kEverUnknown) && !known.settle.empty();
    enter(known, S::settling, true, mine);
    known.settle = keeps ? known.settle : mine.settle;
}

void StoreModel::do_paid(Known &known, const Hand &mine, bool leaves)
{
    KeptAnswer answer =
        call(StoreScript::paid, mine, paid_call(mine, leaves ? 0 : kLease));
    verdicts_[2][answer.verdict]++;
    bool own = owns(known, mine);
    bool may = true;
    if (known.state == S::delivered) {
        may = own;
    } else if (known.state == S::paid) {
        may = own
              || (!leaves && !known.live && known.executions < kMaxExecutions);
    }
    ASSERT_EQ(answer.verdict, may ? V::done : V::lost);
    if (may && known.state != S::delivered) {
        enter(known, S::paid, !leaves, mine);
        known.settle.clear();
    }
}

void StoreModel::do_finish(Known &known, const Hand &mine, FinishAs how)
{
    KeptAnswer answer = call(StoreScript::finish, mine, finish_call(mine, how));
    verdicts_[3][answer.verdict]++;
    Known seen = known;
    lapse_in_model(seen);
    bool own = owns(seen, mine), open = is_open(seen.state);
    bool silent = is_silent(seen.state);
    bool ever_unknown = mine.facts.flags & kEverUnknown;
    S next = seen.state;
    bool may = false;
    switch (how) {
    case FinishAs::delivered:
        may = true;
        next = S::delivered;
        break;
    case FinishAs::owed:
        may = own || (seen.state != S::paid && seen.state != S::delivered);
        next = S::paid;
        break;
    case FinishAs::unknown:
        may = (own && open) || silent;
        next = S::unknown;
        break;
    case FinishAs::refused:
        may = own && (open || seen.state == S::refused);
        next = ever_unknown ? S::unknown : S::refused;
        break;
    case FinishAs::free:
        may = (own && open) || seen.state == S::free;
        next = ever_unknown && seen.state != S::free ? S::unknown : S::free;
        break;
    case FinishAs::closed:
        may = own && (seen.state == S::unknown || seen.state == S::closed);
        next = S::closed;
        break;
    }
    ASSERT_EQ(answer.verdict, may ? V::done : V::lost);
    bool nothing = next == seen.state
                   && (next == S::delivered || next == S::refused
                       || next == S::closed || next == S::free);
    if (!may || nothing) {
        return;
    }
    std::string settle = known.settle.empty() ? mine.settle : known.settle;
    enter(known, next, false, mine);
    known.settle.clear();
    if (next == S::free) {
        known = Known();
    } else if (next == S::unknown) {
        known.flags |= kEverUnknown;
        known.settle = settle;
    } else if (next != S::paid) {
        known.record.clear();
    }
}

void StoreModel::do_resume(unsigned payment)
{
    Known &known = known_[payment];
    Hand mine = new_hand(payment);
    KeptAnswer answer = call(StoreScript::resume, mine, resume_call(mine));
    verdicts_[4][answer.verdict]++;
    Known seen = known;
    lapse_in_model(seen);
    bool may =
        !seen.live
        && (seen.state == S::unknown
            || (seen.state == S::paid && seen.executions < kMaxExecutions));
    ASSERT_EQ(answer.verdict, may ? V::resumed : V::lost);
    ASSERT_EQ(answer.state, seen.state);
    ASSERT_EQ(answer.record, seen.record);
    if (!may) {
        return;
    }
    late_.emplace_back(payment, known.hand);
    known = seen;
    known.live = true;
    ASSERT_EQ(answer.executions, known.executions);
    ASSERT_EQ(answer.settle, known.settle);
    mine.facts.flags = answer.flags;
    mine.facts.executions =
        answer.executions + (known.state == S::paid ? 1 : 0);
    mine.record = answer.record;
    known.hand = mine;
}

// Its machine dies, or stalls and comes back later.
void StoreModel::do_lapse(Known &known)
{
    if (!known.live) {
        return;
    }
    lapse(any(), known.hand);
    known.live = false;
    if (known.state == S::verifying) {
        known = Known();
    }
}

// A failover loses it.
void StoreModel::lose(Known &known)
{
    if (known.state == S::free) {
        return;
    }
    const Hand &mine = known.hand;
    std::string id = id_of(mine);
    a().command({"DEL", key_of(mine, "c:") + id, key_of(mine, "b:") + id});
    known = Known();
}

// The next thing that happens to a claim in the hands of a machine.
void StoreModel::advance(Known &known)
{
    Hand mine = known.hand;
    switch (known.state) {
    case S::verifying:
        if (below(4) == 0) {
            do_finish(known, mine, FinishAs::free);
        } else {
            do_settling(known, mine, SettlingCall::first);
        }
        return;
    case S::settling:
        switch (below(4)) {
        case 0:
            return do_finish(known, mine, FinishAs::refused);
        case 1:
            return do_finish(known, mine, FinishAs::unknown);
        case 2:
            return do_finish(known, mine, FinishAs::free);
        default:
            break;
        }
        mine.facts.executions += mine.facts.flags & kEverUnknown ? 1 : 0;
        mine.facts.executions = std::min(mine.facts.executions, 3u);
        return do_paid(known, mine, below(4) == 0);
    case S::unknown:
        if (below(3) == 0) {
            return do_paid(known, mine, below(2) == 0);
        }
        return below(2) ? do_settling(known, mine, SettlingCall::first)
                        : do_finish(known, mine, FinishAs::unknown);
    case S::paid:
        return do_finish(known, mine,
                         below(2) ? FinishAs::owed : FinishAs::delivered);
    default:
        FAIL() << "a claim that is over has an owner";
    }
}

// One that lost its claim does what it had in mind.
void StoreModel::act_late(unsigned payment)
{
    if (late_.empty()) {
        return;
    }
    auto [number, mine] = late_[below(static_cast<unsigned>(late_.size()))];
    (void)payment;
    Known &known = known_[number];
    switch (below(12)) {
    case 0:
        return do_paid(known, mine, below(2) == 0);
    case 1:
        return do_finish(known, mine, FinishAs::delivered);
    case 2:
        return do_finish(known, mine, FinishAs::owed);
    case 3:
        return do_settling(known, mine, SettlingCall::repeated);
    case 4:
    case 5:
        return do_finish(known, mine, FinishAs::unknown);
    case 6:
    case 7:
        return do_finish(known, mine, FinishAs::refused);
    case 8:
        return do_finish(known, mine, FinishAs::closed);
    case 9:
        return do_finish(known, mine, FinishAs::free);
    default:
        return do_settling(known, mine, SettlingCall::first);
    }
}

void StoreModel::one_call()
{
    unsigned payment = below(kPayments);
    Known &known = known_[payment];
    unsigned what = below(100);
    if (what < 4) {
        do_lapse(known);
    } else if (what < 6) {
        late_.emplace_back(payment, known.hand);
        if (known.state != S::free) {
            lose(known);
        } else {
            late_.pop_back();
        }
    } else if (what < 12) {
        act_late(payment);
    } else if (known.state == S::delivered && what < 30) {
        lose(known);  // its time is over
    } else if (known.state == S::free || what < 20) {
        do_take(payment);
    } else if (!known.live || what < 30) {
        do_resume(payment);
    } else {
        advance(known);
    }
}

void StoreModel::compare(unsigned payment)
{
    Known known = known_[payment];
    lapse_in_model(known);
    Hand any_hand = new_hand(payment);
    KeptAnswer there = seen(any_hand);
    ASSERT_EQ(there.state, known.state);
    if (known.state == S::free) {
        return;
    }
    ASSERT_EQ(there.answer.claim.in_use(), known.live);
    ASSERT_EQ(there.executions, known.executions);
    ASSERT_LE(there.executions, kMaxExecutions);
    ASSERT_EQ(there.flags, known.flags);
    ASSERT_EQ(there.record, known.record);
    std::string settle =
        bytes_of({"GET", key_of(any_hand, "b:") + id_of(any_hand)});
    ASSERT_EQ(settle, known.settle);
}

TEST_F(StoreModel, AgreesWithTheScripts)
{
    for (unsigned number = 0; number < kCalls; number++) {
        SCOPED_TRACE("seed " + std::to_string(seed_) + ", call "
                     + std::to_string(number));
        one_call();
        ASSERT_FALSE(HasFailure());
        for (unsigned payment = number % 50 ? below(kPayments) : 0;
             payment < kPayments; payment += number % 50 ? kPayments : 1) {
            compare(payment);
            ASSERT_FALSE(HasFailure()) << "payment " << payment;
        }
    }
    // The walk went where it should.
    for (unsigned script = 0; script < 5; script++) {
        unsigned ways = 0;
        for (auto [verdict, count] : verdicts_[script]) {
            EXPECT_GE(count, 5u);  // the rarest comes some 35 times
            ways++;
        }
        EXPECT_EQ(ways, 2u)
            << store_script_name(static_cast<StoreScript>(script));
    }
    EXPECT_GT(older_, 100u);
    EXPECT_GT(lost_, 100u);
}

}  // namespace
}  // namespace x402
