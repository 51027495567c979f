// SPDX-License-Identifier: Apache-2.0
#include "session/payment_session.hpp"

#include <deque>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

namespace x402 {
namespace {

using S = PaymentState;
using E = PaymentEvent;
using A = PaymentAction;
using C = ClaimChange;

struct Row {
    PaymentState state;
    PaymentEvent event;
    PaymentState next;
    PaymentAction action;
    ClaimChange claim;
};

// clang-format off
constexpr Row kExpected[] = {
    {S::arrived,        E::claim_taken,           S::verifying,      A::call_verify,  C::keep},
    {S::arrived,        E::claim_taken_to_settle, S::settling_first, A::call_settle,  C::settling},
    {S::arrived,        E::claim_taken_to_serve,  S::verified,       A::proceed,      C::keep},
    {S::arrived,        E::claim_unknown_resumed, S::settling_first, A::call_settle,  C::settling},
    {S::arrived,        E::claim_paid_resumed,    S::paid,           A::proceed,      C::keep},
    {S::arrived,        E::claim_asked,           S::taking,         A::ask_store,    C::keep},
    {S::arrived,        E::answered_without_call, S::closed,         A::none,         C::keep},
    {S::arrived,        E::request_gone,          S::closed,         A::none,         C::free},

    {S::taking,         E::claim_taken,           S::verifying,      A::call_verify,  C::keep},
    {S::taking,         E::claim_taken_to_settle, S::settling_first, A::call_settle,  C::settling},
    {S::taking,         E::claim_taken_to_serve,  S::verified,       A::proceed,      C::keep},
    {S::taking,         E::claim_unknown_resumed, S::settling_first, A::call_settle,  C::settling},
    {S::taking,         E::claim_paid_resumed,    S::paid,           A::proceed,      C::keep},
    {S::taking,         E::claim_elsewhere,       S::arrived,        A::none,         C::free},
    {S::taking,         E::answered_without_call, S::closed,         A::none,         C::free},
    {S::taking,         E::request_gone,          S::closed,         A::cancel_call,  C::free},

    {S::verifying,      E::verify_valid,          S::verified,       A::proceed,      C::verified},
    {S::verifying,      E::verify_final,          S::paid,           A::proceed,      C::paid},
    {S::verifying,      E::verify_settle_first,   S::settling_first, A::call_settle,  C::settling},
    {S::verifying,      E::claim_unknown_resumed, S::settling_first, A::call_settle,  C::settling},
    {S::verifying,      E::claim_paid_resumed,    S::paid,           A::proceed,      C::keep},
    {S::verifying,      E::verify_invalid,        S::closed,         A::challenge,    C::free},
    {S::verifying,      E::verify_failed,         S::closed,         A::answer_fault, C::free},
    {S::verifying,      E::request_gone,          S::closed,         A::cancel_call,  C::free},

    {S::verified,       E::content_free,          S::closed,         A::pass,         C::free},
    {S::verified,       E::content_charged,       S::holding,        A::hold,         C::keep},
    {S::verified,       E::content_trusted,       S::streaming,      A::pass,         C::keep},
    {S::verified,       E::content_broken,        S::closed,         A::replace,      C::free},
    {S::verified,       E::request_gone,          S::closed,         A::none,         C::abandoned},

    {S::holding,        E::settle_due,            S::settling,       A::call_settle,  C::settling},
    {S::holding,        E::content_free,          S::closed,         A::pass,         C::free},
    {S::holding,        E::content_broken,        S::closed,         A::replace,      C::free},
    {S::holding,        E::request_gone,          S::closed,         A::none,         C::abandoned},

    {S::settling,       E::settle_paid,           S::delivering,     A::release,      C::paid},
    {S::settling,       E::settle_waived,         S::closed,         A::release,      C::keep},
    {S::settling,       E::settle_refused,        S::closed,         A::replace,      C::refused},
    {S::settling,       E::settle_not_processed,  S::closed,         A::replace,      C::free},
    {S::settling,       E::settle_unknown,        S::closed,         A::replace,      C::unknown},
    {S::settling,       E::request_gone,          S::orphaned,       A::detach_call,  C::keep},

    {S::settling_first, E::settle_paid,           S::paid,           A::proceed,      C::paid},
    {S::settling_first, E::settle_unproven,       S::paid,           A::proceed,      C::paid},
    {S::settling_first, E::settle_refused,        S::closed,         A::challenge,    C::refused},
    {S::settling_first, E::settle_not_processed,  S::closed,         A::answer_fault, C::free},
    {S::settling_first, E::settle_unknown,        S::closed,         A::answer_fault, C::unknown},
    {S::settling_first, E::request_gone,          S::orphaned,       A::detach_call,  C::keep},

    {S::paid,           E::content_free,          S::delivering,     A::release,      C::keep},
    {S::paid,           E::content_charged,       S::delivering,     A::release,      C::keep},
    {S::paid,           E::content_failed,        S::closed,         A::release,      C::owed},
    {S::paid,           E::content_broken,        S::closed,         A::replace,      C::owed},
    {S::paid,           E::request_gone,          S::closed,         A::none,         C::owed},

    {S::delivering,     E::body_sent,             S::delivered,      A::none,         C::keep},
    {S::delivering,     E::content_broken,        S::closed,         A::none,         C::owed},
    {S::delivering,     E::request_gone,          S::closed,         A::none,         C::owed},

    {S::delivered,      E::body_sent,             S::delivered,      A::none,         C::keep},
    {S::delivered,      E::content_broken,        S::closed,         A::none,         C::owed},
    {S::delivered,      E::request_gone,          S::closed,         A::none,         C::delivered},

    {S::recording,      E::recorded,              S::settling,       A::call_settle,  C::keep},
    {S::recording,      E::settle_not_processed,  S::closed,         A::replace,      C::free},
    {S::recording,      E::request_gone,          S::closed,         A::cancel_call,  C::abandoned},

    {S::recording_first, E::recorded,             S::settling_first, A::call_settle,  C::keep},
    {S::recording_first, E::settle_not_processed, S::closed,         A::answer_fault, C::free},
    {S::recording_first, E::request_gone,         S::closed,         A::cancel_call,  C::free},

    {S::securing,       E::recorded,              S::delivering,     A::release,      C::keep},
    {S::securing,       E::claim_lost,            S::closed,         A::replace,      C::delivered},
    {S::securing,       E::request_gone,          S::closed,         A::cancel_call,  C::owed},

    {S::securing_first, E::recorded,              S::paid,           A::proceed,      C::keep},
    {S::securing_first, E::claim_lost,            S::closed,         A::challenge,    C::delivered},
    {S::securing_first, E::request_gone,          S::closed,         A::cancel_call,  C::owed},

    {S::securing_verified, E::recorded,           S::paid,           A::proceed,      C::keep},
    {S::securing_verified, E::verify_failed,      S::closed,         A::answer_fault, C::free},
    {S::securing_verified, E::request_gone,       S::closed,         A::cancel_call,  C::owed},

    {S::streaming,      E::settle_due,            S::charging,       A::call_settle,  C::settling},
    {S::streaming,      E::content_broken,        S::closed,         A::none,         C::free},
    {S::streaming,      E::request_gone,          S::closed,         A::none,         C::free},

    {S::charging,       E::settle_paid,           S::closed,         A::none,         C::delivered},
    {S::charging,       E::settle_unproven,       S::closed,         A::none,         C::delivered},
    {S::charging,       E::settle_refused,        S::closed,         A::none,         C::refused},
    {S::charging,       E::settle_not_processed,  S::closed,         A::none,         C::unknown},
    {S::charging,       E::settle_unknown,        S::closed,         A::none,         C::unknown},
    {S::charging,       E::request_gone,          S::charging,       A::none,         C::keep},

    {S::orphaned,       E::settle_paid,           S::closed,         A::none,         C::owed},
    {S::orphaned,       E::settle_unproven,       S::closed,         A::none,         C::owed},
    {S::orphaned,       E::settle_waived,         S::closed,         A::none,         C::keep},
    {S::orphaned,       E::settle_refused,        S::closed,         A::none,         C::refused},
    {S::orphaned,       E::settle_not_processed,  S::closed,         A::none,         C::free},
    {S::orphaned,       E::settle_unknown,        S::closed,         A::none,         C::unknown},

    {S::closed,         E::answered_without_call, S::closed,         A::none,         C::keep},
    {S::closed,         E::request_gone,          S::closed,         A::none,         C::keep},
};

// What every pair that is not above does to the claim; its action is `fail`
// and its next state is `closed`.
struct Fallback {
    PaymentState state;
    ClaimChange claim;
};

constexpr Fallback kUnexpected[] = {
    {S::arrived,        C::keep},     // nothing is taken
    {S::verifying,      C::free},     // nothing was sent
    {S::verified,       C::free},
    {S::holding,        C::free},
    {S::settling,       C::unknown},  // money may be moving
    {S::settling_first, C::unknown},
    {S::paid,           C::owed},     // money moved
    {S::delivering,     C::owed},
    {S::delivered,      C::owed},
    {S::taking,         C::free},
    {S::recording,      C::free},     // nothing was sent
    {S::recording_first, C::free},
    {S::securing,       C::owed},     // money moved
    {S::securing_first, C::owed},
    {S::securing_verified, C::owed},
    {S::streaming,      C::free},     // nothing was sent
    {S::charging,       C::unknown},
    {S::orphaned,       C::unknown},
    {S::closed,         C::keep},
};
// clang-format on

constexpr unsigned kStates = static_cast<unsigned>(kLastState) + 1;
constexpr unsigned kEvents = static_cast<unsigned>(kLastEvent) + 1;

std::string pair_name(PaymentState state, PaymentEvent event)
{
    return std::string(state_name(state)) + ", " + event_name(event);
}

template <class Visit> void each_pair(Visit visit)
{
    for (unsigned state = 0; state < kStates; ++state) {
        for (unsigned event = 0; event < kEvents; ++event) {
            visit(static_cast<PaymentState>(state),
                  static_cast<PaymentEvent>(event));
        }
    }
}

const Row *find_row(PaymentState state, PaymentEvent event)
{
    for (const Row &row : kExpected) {
        if (row.state == state && row.event == event) {
            return &row;
        }
    }
    return nullptr;
}

bool is_being_secured(PaymentState state)
{
    return state == S::securing || state == S::securing_first
           || state == S::securing_verified;
}

bool may_be_on_the_wire(PaymentState state)
{
    return state == S::settling || state == S::settling_first
           || state == S::charging || state == S::orphaned;
}

TEST(PaymentSession, EveryPairIsTheOneOfTheTable)
{
    ASSERT_EQ(sizeof(kUnexpected) / sizeof(kUnexpected[0]), kStates);
    unsigned pairs = 0;
    each_pair([&pairs](PaymentState state, PaymentEvent event) {
        SCOPED_TRACE(pair_name(state, event));
        const Fallback &fallback = kUnexpected[static_cast<unsigned>(state)];
        ASSERT_EQ(fallback.state, state);
        Row expected{state, event, S::closed, A::fail, fallback.claim};
        if (const Row *row = find_row(state, event)) {
            expected = *row;
        }
        PaymentStep next = step(state, event);
        EXPECT_EQ(next.next, expected.next);
        EXPECT_EQ(next.action, expected.action);
        EXPECT_EQ(next.claim, expected.claim);
        ++pairs;
    });
    EXPECT_EQ(pairs, 19u * 29u);
}

TEST(PaymentSession, TheTableNamesEachPairOnce)
{
    std::set<std::pair<PaymentState, PaymentEvent>> seen;
    for (const Row &row : kExpected) {
        EXPECT_TRUE(seen.insert({row.state, row.event}).second)
            << pair_name(row.state, row.event);
    }
}

TEST(PaymentSession, ASettlementOnTheWireNeverFreesItsClaim)
{
    each_pair([](PaymentState state, PaymentEvent event) {
        if (may_be_on_the_wire(state) && event != E::settle_not_processed) {
            EXPECT_NE(step(state, event).claim, C::free)
                << pair_name(state, event);
        }
    });
}

TEST(PaymentSession, UnexpectedPairsFailClosed)
{
    each_pair([](PaymentState state, PaymentEvent event) {
        PaymentStep next = step(state, event);
        if (next.action != A::fail) {
            return;
        }
        SCOPED_TRACE(pair_name(state, event));
        EXPECT_EQ(next.next, S::closed);
        EXPECT_NE(next.claim, C::paid);
        EXPECT_NE(next.claim, C::delivered);
        EXPECT_NE(next.claim, C::refused);
        EXPECT_EQ(next.claim == C::unknown, may_be_on_the_wire(state));
        EXPECT_EQ(next.claim == C::owed,
                  state == S::paid || state == S::delivering
                      || state == S::delivered || is_being_secured(state));
    });
}

TEST(PaymentSession, NoPairReleasesContentBeforePaid)
{
    each_pair([](PaymentState state, PaymentEvent event) {
        SCOPED_TRACE(pair_name(state, event));
        PaymentStep next = step(state, event);
        if (next.action == A::release) {
            // What was waived, the operator gives away, and no claim hears
            // of it.
            EXPECT_TRUE(
                state == S::paid || state == S::securing
                || (state == S::settling
                    && (event == E::settle_paid || event == E::settle_waived)));
        }
        if (next.action == A::pass && next.next == S::streaming) {
            // The operator trusts its payer (x402_stream).
            EXPECT_EQ(event, E::content_trusted);
            EXPECT_EQ(next.claim, C::keep);
        } else if (next.action == A::pass) {
            // Only what is not charged, and then it is never charged.
            EXPECT_EQ(event, E::content_free);
            EXPECT_EQ(next.claim, C::free);
        }
        bool content_state = next.next == S::delivering
                             || next.next == S::delivered
                             || next.next == S::paid;
        if (content_state && state != next.next) {
            EXPECT_TRUE(event == E::settle_paid || event == E::settle_unproven
                        || event == E::verify_final
                        || event == E::claim_paid_resumed || state == S::paid
                        || state == S::delivering || is_being_secured(state));
        }
    });
}

TEST(PaymentSession, AnUnknownOutcomeAsksForNoMoney)
{
    for (PaymentState state :
         {S::settling, S::settling_first, S::charging, S::orphaned}) {
        PaymentStep next = step(state, E::settle_unknown);
        EXPECT_EQ(next.claim, C::unknown) << state_name(state);
        EXPECT_NE(next.action, A::challenge) << state_name(state);
        EXPECT_EQ(next.next, S::closed) << state_name(state);
    }
}

// What has left is owed to no one.
TEST(PaymentSession, AStreamThatLeftIsNotOwed)
{
    for (unsigned number = 0; number < kEvents; ++number) {
        auto event = static_cast<PaymentEvent>(number);
        EXPECT_NE(step(S::streaming, event).claim, C::owed);
        EXPECT_NE(step(S::charging, event).claim, C::owed);
        EXPECT_NE(step(S::charging, event).claim, C::free);
    }
}

TEST(PaymentSession, EveryStateEndsWhenTheRequestGoes)
{
    each_pair([](PaymentState state, PaymentEvent event) {
        if (event == E::request_gone && state != S::orphaned) {
            EXPECT_NE(step(state, event).action, A::fail) << state_name(state);
        }
    });
    each_pair([](PaymentState state, PaymentEvent event) {
        PaymentStep next = step(state, event);
        if (state == S::closed) {
            EXPECT_EQ(next.next, S::closed) << event_name(event);
            EXPECT_EQ(next.claim, C::keep) << event_name(event);
        }
    });
}

// What the world knows while a request runs, beside the state itself.
struct Walk {
    PaymentState state = S::arrived;
    bool sent = false;  // settle may have left this machine
    bool paid = false;  // proof that money moved
    std::vector<PaymentEvent> option;

    auto place() const { return std::make_tuple(state, sent, paid); }
};

std::string way_of(const Walk &run)
{
    std::string text;
    for (PaymentEvent event : run.option) {
        text += std::string(text.empty() ? "" : ", ") + event_name(event);
    }
    return text;
}

void expect_money_kept(const Walk &before, PaymentEvent event,
                       const PaymentStep &next)
{
    // With `x402_settle off` the facilitator's verify is all the proof there
    // is.
    bool proven = before.paid || event == E::settle_paid
                  || event == E::settle_unproven || event == E::verify_final
                  || event == E::claim_paid_resumed;
    // With `x402_settle_failure deliver` content goes out for nothing.
    if (next.action == A::release && event != E::settle_waived) {
        EXPECT_TRUE(proven);
    }
    if (next.action == A::pass || next.claim == C::free) {
        // What is not settled is paid on the facilitator's word alone.
        EXPECT_TRUE(!before.paid || before.state == S::securing_verified);
        EXPECT_TRUE(!before.sent || event == E::settle_not_processed);
    }
    if (next.claim == C::paid || next.claim == C::delivered
        || next.claim == C::owed) {
        EXPECT_TRUE(proven);
    }
    if (next.claim == C::refused || next.claim == C::unknown) {
        EXPECT_TRUE(before.sent);
        EXPECT_FALSE(before.paid);
    }
    if (next.action == A::call_settle) {
        bool written =
            before.state == S::recording || before.state == S::recording_first;
        EXPECT_EQ(next.claim, written ? C::keep : C::settling);
        EXPECT_FALSE(before.sent);
        EXPECT_FALSE(before.paid);
    }
}

// Every sequence of events, expected or not: all (state, sent, paid) that can
// be reached are visited.
TEST(PaymentSession, NoWayThroughItLosesMoney)
{
    std::set<decltype(Walk().place())> seen;
    std::deque<Walk> open{Walk()};
    while (!open.empty()) {
        Walk run = open.front();
        open.pop_front();
        if (!seen.insert(run.place()).second) {
            continue;
        }
        for (unsigned number = 0; number < kEvents; ++number) {
            PaymentEvent event = static_cast<PaymentEvent>(number);
            if (run.state == S::closed && event != E::request_gone) {
                continue;  // pinned by the table
            }
            // With a journal that is synced, and without.
            PaymentStep plain = step(run.state, event);
            for (const PaymentStep &next :
                 {plain, recorded_first(event, plain)}) {
                Walk after = run;
                after.option.push_back(event);
                SCOPED_TRACE(way_of(after));
                expect_money_kept(run, event, next);
                after.state = next.next;
                after.sent = (run.sent || next.action == A::call_settle)
                             && next.claim != C::free;
                after.paid = run.paid || next.claim == C::paid
                             || event == E::claim_paid_resumed;
                open.push_back(after);
            }
        }
    }
    // Each state was reached, so each rule was tried on it.
    std::set<PaymentState> states;
    for (const auto &place : seen) {
        states.insert(std::get<0>(place));
    }
    EXPECT_EQ(states.size(), kStates);
}

TEST(PaymentSession, WithASyncedJournalTheDiskComesFirst)
{
    each_pair([](PaymentState state, PaymentEvent event) {
        SCOPED_TRACE(pair_name(state, event));
        PaymentStep plain = step(state, event);
        PaymentStep next = recorded_first(event, plain);
        EXPECT_EQ(next.claim, plain.claim);
        bool writes = (plain.claim == C::settling || plain.claim == C::paid)
                      && event != E::claim_unknown_resumed
                      // No request is there to wait.
                      && plain.next != S::charging;
        EXPECT_EQ(next.action == A::wait_for_record, writes);
        if (!writes) {
            EXPECT_EQ(next.next, plain.next);
            EXPECT_EQ(next.action, plain.action);
            return;
        }
        // Once it is there, all goes on as without.
        PaymentStep later = step(next.next, E::recorded);
        EXPECT_EQ(later.next, plain.next);
        EXPECT_EQ(later.action, plain.action);
        EXPECT_EQ(later.claim, C::keep);
    });
}

TEST(PaymentSession, NamesAreDistinctWords)
{
    std::set<std::string> names;
    for (unsigned state = 0; state < kStates; ++state) {
        names.insert(state_name(static_cast<PaymentState>(state)));
    }
    for (unsigned event = 0; event < kEvents; ++event) {
        names.insert(event_name(static_cast<PaymentEvent>(event)));
    }
    EXPECT_EQ(names.size(), kStates + kEvents);
    EXPECT_STREQ(state_name(S::orphaned), "orphaned");
    EXPECT_STREQ(event_name(E::settle_not_processed), "settle_not_processed");
    EXPECT_STREQ(event_name(E::request_gone), "request_gone");
}

}  // namespace
}  // namespace x402
