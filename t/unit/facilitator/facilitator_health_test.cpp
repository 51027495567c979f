// SPDX-License-Identifier: Apache-2.0
#include "facilitator/facilitator_health.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

constexpr bool kVerify = false;
constexpr bool kSettle = true;

class Breaker : public ::testing::Test {
protected:
    // `count` failures, one each 100 ms, from `payers` payers in turn.
    HealthChange fail(unsigned count, unsigned payers, bool settle = kVerify,
                      CallHealth health = CallHealth::failure)
    {
        HealthChange last = HealthChange::none;
        for (unsigned i = 0; i < count; i++) {
            now += 100;
            last = doctor.note(settle, health, i % payers, now);
        }
        return last;
    }
    HealthChange note(bool settle, CallHealth health)
    {
        return doctor.note(settle, health, 1, now);
    }
    BreakerAction action() const { return doctor.advice(now).action; }

    FacilitatorHealth doctor;
    std::uint64_t now = 1'000'000;
};

TEST_F(Breaker, OpensAfterFiveFailuresOfThreePayers)
{
    EXPECT_EQ(fail(4, 3), HealthChange::none);
    EXPECT_EQ(action(), BreakerAction::proceed);
    EXPECT_EQ(fail(1, 3), HealthChange::opened);
    EXPECT_EQ(action(), BreakerAction::do_not_call);
    EXPECT_EQ(fail(5, 3), HealthChange::none) << "told once";
}

TEST_F(Breaker, IsNotOpenedByTwoPayers)
{
    fail(500, 2);
    EXPECT_EQ(action(), BreakerAction::proceed);
    EXPECT_EQ(doctor.note(kVerify, CallHealth::failure, 7, now),
              HealthChange::opened);
}

TEST_F(Breaker, ForgetsWhatIsLongAgo)
{
    fail(4, 4);
    now += 30'000;
    EXPECT_EQ(fail(4, 4), HealthChange::none);
    EXPECT_EQ(fail(1, 1), HealthChange::opened);
}

TEST_F(Breaker, IsNeverOpenedByRefusals)
{
    for (unsigned payer = 0; payer < 10'000; payer++) {
        doctor.note(kVerify, CallHealth::answered, payer, now);
        doctor.note(kSettle, CallHealth::answered, payer, now);
    }
    EXPECT_FALSE(doctor.is_open());
}

TEST_F(Breaker, TakesPlainErrorsOfThreePayersOnly)
{
    fail(100, 2, kVerify, CallHealth::error);
    EXPECT_FALSE(doctor.is_open());
    note(kVerify, CallHealth::success);
    fail(4, 4, kVerify, CallHealth::error);
    EXPECT_FALSE(doctor.is_open()) << "a success came between";
    fail(1, 1, kVerify, CallHealth::error);
    EXPECT_TRUE(doctor.is_open());
}

TEST_F(Breaker, DoesNotAddErrorsOfTwoPayersToFailures)
{
    fail(4, 2, kVerify, CallHealth::error);
    fail(4, 4);
    EXPECT_FALSE(doctor.is_open());
}

// Anything a client can provoke: it answers, so that honest payers are served.
TEST_F(Breaker, SettlesFirstWhereItStillAnswers)
{
    fail(5, 5, kVerify, CallHealth::error);
    EXPECT_TRUE(doctor.is_open());
    EXPECT_EQ(action(), BreakerAction::settle_first);
    fail(3, 3);
    EXPECT_EQ(action(), BreakerAction::do_not_call) << "silent now";
    note(kVerify, CallHealth::answered);
    EXPECT_EQ(action(), BreakerAction::settle_first)
        << "a refusal is an answer";
}

TEST_F(Breaker, SettlesFirstWhereOnlySettlingFails)
{
    for (unsigned payer = 0; payer < 5; payer++) {
        note(kVerify, CallHealth::success);
        doctor.note(kSettle, CallHealth::failure, payer, now);
    }
    EXPECT_TRUE(doctor.is_open());
    EXPECT_EQ(action(), BreakerAction::settle_first);
    now += FacilitatorHealth::kProbeEvery;
    EXPECT_FALSE(doctor.advice(now).probe) << "each of them is a probe";
    EXPECT_EQ(note(kVerify, CallHealth::success), HealthChange::none);
    EXPECT_EQ(note(kSettle, CallHealth::success), HealthChange::closed);
    EXPECT_EQ(action(), BreakerAction::proceed);
}

TEST_F(Breaker, LetsOneThroughEveryFiveSeconds)
{
    fail(5, 5);
    now += FacilitatorHealth::kProbeEvery - 1;
    EXPECT_EQ(action(), BreakerAction::do_not_call);
    now += 1;
    EXPECT_TRUE(doctor.advice(now).probe);
    EXPECT_EQ(action(), BreakerAction::proceed)
        << "asking for advice takes nothing";
    doctor.begin_probe(now);
    EXPECT_EQ(action(), BreakerAction::do_not_call);
    now += FacilitatorHealth::kProbeEvery;
    EXPECT_EQ(action(), BreakerAction::proceed);
}

TEST_F(Breaker, ClosesByASuccessButNotAtOnce)
{
    fail(5, 5);
    EXPECT_EQ(note(kVerify, CallHealth::success), HealthChange::none);
    EXPECT_TRUE(doctor.is_open()) << "half of the calls fail: no flapping";
    now += FacilitatorHealth::kProbeEvery;
    EXPECT_EQ(note(kVerify, CallHealth::success), HealthChange::closed);
    EXPECT_EQ(action(), BreakerAction::proceed);
    EXPECT_EQ(fail(4, 4), HealthChange::none) << "counted again";
}

TEST_F(Breaker, NeedsASuccessOfWhatFailed)
{
    fail(5, 5);
    fail(5, 5, kSettle);
    now += FacilitatorHealth::kProbeEvery;
    EXPECT_EQ(note(kVerify, CallHealth::success), HealthChange::none);
    EXPECT_EQ(note(kSettle, CallHealth::success), HealthChange::closed);
}

// A busy facilitator that fails now and then stays in use.
TEST_F(Breaker, ForgivesOneFailureForEachSuccess)
{
    for (unsigned i = 0; i < 1000; i++) {
        doctor.note(kVerify, CallHealth::success, i, now);
        doctor.note(kVerify, CallHealth::failure, i, now);
    }
    EXPECT_FALSE(doctor.is_open());
}

TEST_F(Breaker, KeepsItsTerms)
{
    doctor = FacilitatorHealth({0, 30'000});
    fail(1000, 10);
    EXPECT_FALSE(doctor.is_open()) << "0: never";
    doctor = FacilitatorHealth({100, 60'000});
    fail(99, 10);
    EXPECT_FALSE(doctor.is_open());
    fail(1, 1);
    EXPECT_TRUE(doctor.is_open());
    doctor = FacilitatorHealth({5, 300});
    fail(100, 10);
    EXPECT_FALSE(doctor.is_open()) << "too far apart";
}

// --- what an answer says

FacilitatorReply answer(int status, std::string body = "")
{
    FacilitatorReply reply;
    reply.transport = Transport::answered;
    reply.status = status;
    reply.body = std::move(body);
    return reply;
}

CallHealth verified(const FacilitatorReply &reply)
{
    return call_health(reply, read_verify_answer(reply));
}

CallHealth settled(const FacilitatorReply &reply)
{
    return call_health(reply,
                       read_settle_answer(reply, {"eip155:84532", "", "1"}));
}

TEST(CallHealth, FailsWithoutAnAnswer)
{
    for (Transport transport : {Transport::not_sent, Transport::no_connection,
                                Transport::timed_out, Transport::broken}) {
        FacilitatorReply reply;
        reply.transport = transport;
        EXPECT_EQ(verified(reply), CallHealth::failure);
        EXPECT_EQ(settled(reply), CallHealth::failure);
        EXPECT_TRUE(verify_may_move(reply));
    }
}

TEST(CallHealth, TellsGatewaysFromErrors)
{
    for (int status : {502, 503, 504}) {
        EXPECT_EQ(verified(answer(status)), CallHealth::failure);
        EXPECT_EQ(settled(answer(status, "{\"success\":true}")),
                  CallHealth::failure);
        EXPECT_TRUE(verify_may_move(answer(status)));
    }
    EXPECT_EQ(verified(answer(500)), CallHealth::error);
    EXPECT_EQ(settled(answer(500)), CallHealth::error);
    EXPECT_FALSE(verify_may_move(answer(500)));
}

TEST(CallHealth, FailsByGarbageInSuccess)
{
    for (const char *body : {"", "<html>", "{}", "{\"isValid\":\"true\"}"}) {
        EXPECT_EQ(verified(answer(200, body)), CallHealth::failure) << body;
        EXPECT_EQ(settled(answer(200, body)), CallHealth::failure) << body;
        EXPECT_FALSE(verify_may_move(answer(200, body))) << body;
    }
}

TEST(CallHealth, NeverFailsByARefusal)
{
    EXPECT_EQ(verified(answer(200, "{\"isValid\":false}")),
              CallHealth::answered);
    EXPECT_EQ(settled(answer(200, "{\"success\":false,\"errorReason\":"
                                  "\"what nobody has heard of\"}")),
              CallHealth::answered);
    EXPECT_EQ(settled(answer(200, "{\"success\":false,\"errorReason\":"
                                  "\"insufficient_funds\"}")),
              CallHealth::answered);
    for (int status : {307, 400, 401, 402, 403, 404, 412, 422, 429}) {
        EXPECT_EQ(verified(answer(status)), CallHealth::answered) << status;
        EXPECT_EQ(settled(answer(status)), CallHealth::answered) << status;
        EXPECT_FALSE(verify_may_move(answer(status))) << status;
    }
}

TEST(CallHealth, KnowsSuccess)
{
    EXPECT_EQ(verified(answer(200, "{\"isValid\":true}")), CallHealth::success);
    EXPECT_EQ(settled(answer(200, "{\"success\":true,\"transaction\":\"0x1\","
                                  "\"network\":\"eip155:84532\"}")),
              CallHealth::success);
}

}  // namespace
}  // namespace x402
