// SPDX-License-Identifier: Apache-2.0
#include "facilitator/credit_answers.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

FacilitatorReply answered(int status, std::string body)
{
    FacilitatorReply reply;
    reply.transport = Transport::answered;
    reply.status = status;
    reply.body = std::move(body);
    return reply;
}

SettleAnswer settled(int status, std::string body)
{
    return read_token_settle_answer(answered(status, std::move(body)),
                                    {"eip155:84532", "0x1", "3"});
}

TEST(CreditAnswers, RefusalsAreExplained)
{
    auto verdict = read_token_verify_answer(
        answered(400, R"({"code":"C","message":"Expired","hint":"renew"})"));
    EXPECT_EQ(verdict.verdict, VerifyVerdict::invalid);
    EXPECT_EQ(verdict.reason, "Expired \xe2\x80\x94 renew (HTTP 400)");

    verdict =
        read_token_verify_answer(answered(404, R"({"message":"No plan"})"));
    EXPECT_EQ(verdict.verdict, VerifyVerdict::invalid);
    EXPECT_EQ(verdict.reason, "No plan (HTTP 404)");

    verdict = read_token_verify_answer(
        answered(200, R"({"isValid":false,"invalidReason":"poor"})"));
    EXPECT_EQ(verdict.verdict, VerifyVerdict::invalid);
    EXPECT_EQ(verdict.reason, "poor");
}

TEST(CreditAnswers, WhateverIsNotValidHasAReason)
{
    for (int status : {200, 302, 400, 401, 403, 404, 429, 500, 503}) {
        for (const char *body :
             {"", "{}", "[]", R"({"message":5})", R"({"isValid":"true"})",
              R"({"isValid":false})"}) {
            auto verdict = read_token_verify_answer(answered(status, body));
            EXPECT_NE(verdict.verdict, VerifyVerdict::valid) << status << body;
            EXPECT_FALSE(verdict.reason.empty()) << status << body;
        }
    }
    FacilitatorReply late;
    late.transport = Transport::timed_out;
    EXPECT_FALSE(read_token_verify_answer(late).reason.empty());
    auto key = read_token_verify_answer(answered(401, R"({"message":"who?"})"));
    EXPECT_EQ(key.verdict, VerifyVerdict::operator_fault);
}

TEST(CreditAnswers, LongExplanationsAreCutBetweenCharacters)
{
    std::string message;
    for (int i = 0; i < 200; i++) {
        message += "\xc3\xa9";
    }
    auto verdict = read_token_verify_answer(
        answered(400, "{\"message\":\"x" + message + "\"}"));
    EXPECT_EQ(verdict.reason.substr(0, 256),
              "x" + message.substr(0, 254) + " ");
}

TEST(CreditAnswers, VerifyNamesTheRequest)
{
    EXPECT_EQ(agent_request_of(R"({"agentRequestId":"r-1"})"), "r-1");
    for (const char *body :
         {"", "{}", R"({"agentRequestId":5})", R"({"agentRequestId":"a b"})",
          R"({"agentRequestId":"a\nb"})"}) {
        EXPECT_EQ(agent_request_of(body), "") << body;
    }
}

TEST(CreditAnswers, TheReceiptIsTheWholeAnswer)
{
    std::string body = R"({"success":true,"payer":"0x2","transaction":"0xab",)"
                       R"("network":"stripe","creditsRedeemed":"3"})";
    SettleAnswer answer = settled(200, body);
    EXPECT_EQ(answer.verdict, SettleVerdict::paid);
    EXPECT_EQ(answer.receipt, body);
    EXPECT_EQ(answer.transaction, "0xab");

    answer = settled(200, R"({"success":false,"errorReason":"none left"})");
    EXPECT_EQ(answer.verdict, SettleVerdict::refused);
    EXPECT_EQ(answer.reason, "none left");

    answer = settled(200, R"({"success":true,"x":")" + std::string(5000, 'x')
                              + "\"}");
    EXPECT_EQ(answer.receipt, R"({"success":true})");
}

TEST(CreditAnswers, NothingElseIsASettlement)
{
    for (int status : {200, 302, 400, 401, 403, 404, 429, 500, 503}) {
        for (const char *body :
             {"", "{}", R"({"success":"true"})", R"({"message":"no"})"}) {
            SettleAnswer answer = settled(status, body);
            EXPECT_NE(answer.verdict, SettleVerdict::paid) << status << body;
            EXPECT_EQ(answer.receipt, "") << status << body;
        }
    }
    EXPECT_NE(settled(500, R"({"success":true})").verdict, SettleVerdict::paid);
    // What might be asked once more elsewhere is not, here.
    EXPECT_EQ(settled(400, R"({"success":false,"transaction":"0x1",)"
                           R"("errorReason":"settlement_pending"})")
                  .verdict,
              SettleVerdict::unknown);
}

TEST(CreditAnswers, PlansSayHowTheyArePaid)
{
    auto kind = read_plan_answer(
        answered(200, R"({"registry":{"price":{"isCrypto":true}}})"));
    ASSERT_TRUE(kind);
    EXPECT_EQ(kind->scheme, kCryptoPlan);

    kind = read_plan_answer(answered(
        200, R"({"registry":{"price":{"isCrypto":false}},)"
             R"("metadata":{"plan":{"fiatPaymentProvider":"visa"}}})"));
    ASSERT_TRUE(kind);
    EXPECT_EQ(kind->scheme, kCardPlan);
    EXPECT_EQ(kind->card_network, "visa");

    kind = read_plan_answer(
        answered(200, R"({"registry":{"price":{"isCrypto":false}}})"));
    ASSERT_TRUE(kind);
    EXPECT_EQ(kind->card_network, "");

    for (const char *body : {"", "{}", R"({"registry":{"price":{}}})",
                             R"({"registry":{"price":{"isCrypto":0}}})"}) {
        EXPECT_FALSE(read_plan_answer(answered(200, body))) << body;
    }
    EXPECT_FALSE(read_plan_answer(
        answered(500, R"({"registry":{"price":{"isCrypto":true}}})")));
}

}  // namespace
}  // namespace x402
