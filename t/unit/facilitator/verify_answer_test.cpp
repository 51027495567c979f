// SPDX-License-Identifier: Apache-2.0
#include "facilitator/verify_answer.hpp"

#include <ostream>

#include <gtest/gtest.h>

namespace x402 {

static std::ostream &operator<<(std::ostream &out, VerifyVerdict verdict)
{
    constexpr const char *kNames[] = {"valid",        "invalid",
                                      "broken",       "timed_out",
                                      "rate_limited", "operator_fault"};
    return out << kNames[static_cast<int>(verdict)];
}

namespace {

using V = VerifyVerdict;

FacilitatorReply answered(int status, std::string body)
{
    FacilitatorReply reply;
    reply.transport = Transport::answered;
    reply.status = status;
    reply.body = std::move(body);
    return reply;
}

struct Judged {
    int status;
    const char *body;
    VerifyVerdict verdict;
};
constexpr Judged kJudged[] = {
    {200, R"({"isValid":true})", V::valid},
    {200, R"({"isValid":true,"payer":"0xab"})", V::valid},
    {200, R"({"isValid":true,"payer":null})", V::valid},
    {200, R"({"isValid":true,"invalidReason":"x","extra":{}})", V::valid},
    {201, R"({"isValid":true})", V::valid},
    {299, R"({"isValid":true})", V::valid},
    {200, R"({"isValid":true,"payer":1})", V::broken},
    {200, R"({"isValid":true,"payer":{"a":1}})", V::broken},

    {200, R"({"isValid":false})", V::invalid},
    {200, R"({"isValid":false,"invalidReason":"x"})", V::invalid},
    {200, R"({"isValid":false,"payer":1})", V::invalid},
    {400, R"({"isValid":false})", V::invalid},
    {402, R"({"isValid":false})", V::invalid},
    {412, R"({"isValid":false})", V::invalid},
    {401, R"({"isValid":false})", V::invalid},
    {429, R"({"isValid":false})", V::invalid},

    // `true` counts in 2xx only.
    {400, R"({"isValid":true})", V::broken},
    {404, R"({"isValid":true})", V::operator_fault},
    {429, R"({"isValid":true})", V::rate_limited},
    {302, R"({"isValid":true})", V::operator_fault},
    {500, R"({"isValid":true})", V::broken},
    {500, R"({"isValid":false})", V::broken},
    {503, R"({"isValid":false})", V::broken},
    {100, R"({"isValid":true})", V::broken},
    {0, R"({"isValid":true})", V::broken},
    {600, R"({"isValid":true})", V::broken},

    // Only the JSON words count.
    {200, R"({"isValid":"true"})", V::broken},
    {200, R"({"isValid":1})", V::broken},
    {200, R"({"isValid":null})", V::broken},
    {200, R"({"isvalid":true})", V::broken},
    {200, R"({"valid":true})", V::broken},
    {200, R"({"data":{"isValid":true}})", V::broken},
    {200, R"([{"isValid":true}])", V::broken},
    {200, R"(true)", V::broken},
    {200, R"("isValid")", V::broken},
    {200, R"(null)", V::broken},
    {200, "", V::broken},
    {200, R"({"isValid":true)", V::broken},
    {200, R"({"isValid":true} x)", V::broken},
    {200, R"({"isValid":false,"isValid":true})", V::broken},
    {200, "<html>isValid:true</html>", V::broken},

    {400, "bad request", V::broken},
    {401, "no key", V::operator_fault},
    {403, "", V::operator_fault},
    {404, "<html>", V::operator_fault},
    {405, "", V::broken},
    {429, "slow down", V::rate_limited},
    {301, "", V::operator_fault},
    {307, "", V::operator_fault},
    {399, "", V::operator_fault},
    {500, "", V::broken},
    {502, "", V::broken},
    {504, "", V::broken},
};

TEST(VerifyAnswer, IsJudgedByStatusAndBody)
{
    for (const Judged &row : kJudged) {
        VerifyAnswer answer =
            read_verify_answer(answered(row.status, row.body));
        EXPECT_EQ(answer.verdict, row.verdict) << row.status << " " << row.body;
        if (row.verdict != V::valid) {
            EXPECT_EQ(answer.payer, "") << row.status << " " << row.body;
        }
        if (row.verdict != V::invalid) {
            EXPECT_EQ(answer.reason, "") << row.status << " " << row.body;
        }
    }
}

TEST(VerifyAnswer, WithoutAnAnswerIsLateOrBroken)
{
    struct Row {
        Transport transport;
        VerifyVerdict verdict;
    };
    constexpr Row kRows[] = {
        {Transport::not_sent, V::broken},
        {Transport::no_connection, V::timed_out},
        {Transport::timed_out, V::timed_out},
        {Transport::broken, V::broken},
    };
    for (const Row &row : kRows) {
        FacilitatorReply reply = answered(200, R"({"isValid":true})");
        reply.transport = row.transport;
        reply.detail = "what went wrong";
        VerifyAnswer answer = read_verify_answer(reply);
        EXPECT_EQ(answer.verdict, row.verdict);
        EXPECT_EQ(answer.detail, "what went wrong");
    }
}

TEST(VerifyAnswer, NamesThePayer)
{
    EXPECT_EQ(
        read_verify_answer(answered(200, R"({"isValid":true,"payer":"0xAb"})"))
            .payer,
        "0xAb");
    EXPECT_EQ(read_verify_answer(answered(200, R"({"isValid":true})")).payer,
              "");
    std::string refused = R"({"isValid":false,"payer":"PAYER"})";
    EXPECT_EQ(read_verify_answer(answered(200, refused)).payer, "PAYER");
    refused.replace(refused.find("PAYER"), 5, std::string(129, 'x'));
    EXPECT_EQ(read_verify_answer(answered(200, refused)).payer, "");
}

TEST(VerifyAnswer, GivesTheReasonInItsWords)
{
    auto reason = [](int status, const char *body) {
        return read_verify_answer(answered(status, body)).reason;
    };
    EXPECT_EQ(reason(200, R"({"isValid":false})"), "");
    EXPECT_EQ(reason(200, R"({"isValid":false,"invalidReason":"why"})"), "why");
    EXPECT_EQ(reason(200, R"({"isValid":false,"invalidReason":null})"), "");
    EXPECT_EQ(reason(200, R"({"isValid":false,"invalidReason":7})"), "");
    EXPECT_EQ(reason(200, R"({"isValid":false,"invalidReason":"why",)"
                          R"("invalidMessage":"long"})"),
              "why");
    EXPECT_EQ(reason(400, R"({"isValid":false,"invalidReason":"why",)"
                          R"("invalidMessage":"long"})"),
              "why: long");
    EXPECT_EQ(reason(400, R"({"isValid":false,"invalidMessage":"long"})"),
              "unknown reason: long");
    EXPECT_EQ(reason(400, R"({"isValid":false})"), "");
    std::string body =
        R"({"isValid":false,"invalidReason":")" + std::string(300, 'r') + "\"}";
    EXPECT_EQ(reason(200, body.c_str()), std::string(256, 'r'));
}

TEST(VerifyAnswer, LogsTheStatusAndTheFrontOfTheBody)
{
    EXPECT_EQ(read_verify_answer(answered(500, "oh \"no\"\r\n")).detail,
              "status 500, body \"oh 'no'\"");
}

TEST(VerifyAnswer, ReadsBodiesUpToTheCap)
{
    std::string body = R"({"isValid":true,"x":")";
    body += std::string(kMaxReplyBytes - body.size() - 2, 'x') + "\"}";
    ASSERT_EQ(body.size(), kMaxReplyBytes);
    EXPECT_EQ(read_verify_answer(answered(200, body)).verdict, V::valid);
    body.insert(body.size() - 2, "x");
    EXPECT_EQ(read_verify_answer(answered(200, body)).verdict, V::broken);
}

}  // namespace
}  // namespace x402
