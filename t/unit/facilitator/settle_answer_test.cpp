// SPDX-License-Identifier: Apache-2.0
#include "facilitator/settle_answer.hpp"

#include <ostream>

#include "vectors.hpp"

namespace x402 {

static std::ostream &operator<<(std::ostream &out, SettleVerdict verdict)
{
    constexpr const char *kNames[] = {
        "paid",           "refused",      "nonce_used", "pending",
        "operator_fault", "rate_limited", "not_sent",   "unknown"};
    return out << kNames[static_cast<int>(verdict)];
}

namespace {

using V = SettleVerdict;

constexpr SettleExpectation kExpected = {
    "eip155:84532", "0x2c106B8378311AF25df8E16BAf7Ca35AfA89E5B9", "10000"};

FacilitatorReply answered(int status, std::string body)
{
    FacilitatorReply reply;
    reply.transport = Transport::answered;
    reply.sent_completely = true;
    reply.status = status;
    reply.body = std::move(body);
    return reply;
}

SettleAnswer read_answer(int status, std::string body)
{
    return read_settle_answer(answered(status, std::move(body)), kExpected);
}

// {"success":true,...} with the members given.
std::string success(const std::string &members)
{
    return "{\"success\":true," + members + "}";
}

std::string failure(const char *reason, const char *transaction)
{
    return std::string("{\"success\":false,\"errorReason\":\"") + reason
           + "\",\"transaction\":" + transaction
           + ",\"network\":\"eip155:84532\"}";
}

constexpr const char *kBare =
    R"("transaction":"0xfe","network":"eip155:84532")";

TEST(SettleAnswer, IsPaidByProofOnly)
{
    const std::string bare = kBare;
    const std::string paid[] = {
        bare,
        R"("transaction":"","network":"eip155:84532")",
        R"("transaction":"0xfe","network":"base-sepolia")",
        R"("transaction":"0xfe","network":"eip155:084532")",
        bare + R"(,"payer":"0x2c106B8378311AF25df8E16BAf7Ca35AfA89E5B9")",
        bare + R"(,"payer":"0x2c106b8378311af25df8e16baf7ca35afa89e5b9")",
        bare + R"(,"payer":null,"amount":null)",
        bare + R"(,"payer":"","amount":"")",
        bare + R"(,"payer":"","errorReason":"","errorMessage":"")",
        bare + R"(,"amount":"10000")",
        bare + R"(,"errorReason":"invalid_signature","extra":{"a":[1]})",
    };
    for (const std::string &members : paid) {
        for (int status : {200, 201, 299}) {
            SettleAnswer answer = read_answer(status, success(members));
            EXPECT_EQ(answer.verdict, V::paid) << status << " " << members;
            EXPECT_EQ(answer.receipt.find("{\"success\":true"), 0u);
        }
        for (int status : {100, 400, 402, 404, 500, 503}) {
            SettleAnswer answer = read_answer(status, success(members));
            EXPECT_NE(answer.verdict, V::paid) << status << " " << members;
            EXPECT_EQ(answer.receipt, "");
        }
    }
}

TEST(SettleAnswer, OfSuccessThatIsNotWhatWasAskedIsUnknown)
{
    const std::string bare = kBare;
    const std::string doubtful[] = {
        R"("network":"eip155:84532")",
        R"("transaction":null,"network":"eip155:84532")",
        R"("transaction":1,"network":"eip155:84532")",
        R"("transaction":"0xfe")",
        R"("transaction":"0xfe","network":null)",
        R"("transaction":"0xfe","network":84532)",
        R"("transaction":"0xfe","network":"eip155:8453")",
        R"("transaction":"0xfe","network":"base")",
        R"("transaction":"0xfe","network":"")",
        bare + R"(,"payer":"0x2c106B8378311AF25df8E16BAf7Ca35AfA89E5B8")",
        bare + R"(,"payer":"2c106B8378311AF25df8E16BAf7Ca35AfA89E5B9")",
        bare + R"(,"payer":1)",
        bare + R"(,"amount":"9999")",
        bare + R"(,"amount":"10001")",
        bare + R"(,"amount":"010000")",
        bare + R"(,"amount":10000)",
    };
    for (const std::string &members : doubtful) {
        SettleAnswer answer = read_answer(200, success(members));
        EXPECT_EQ(answer.verdict, V::unknown) << members;
        EXPECT_EQ(answer.receipt, "") << members;
        EXPECT_EQ(answer.detail.find("success "), 0u) << answer.detail;
    }
}

TEST(SettleAnswer, TakesOnlyTheJsonWordForSuccess)
{
    const std::string rest = std::string(",") + kBare + "}";
    for (const char *front :
         {R"({"success":"true")", R"({"success":1)", R"({"success":null)",
          R"({"Success":true)", R"({"ok":true)", R"({"status":"success")",
          R"({"success":[true])", R"({"success":{"success":true})",
          R"({"success":false,"success":true)",
          R"({"success":true,"success":true)"}) {
        EXPECT_EQ(read_answer(200, front + rest).verdict, V::unknown) << front;
    }
    std::string whole = success(kBare);
    EXPECT_EQ(read_answer(200, "[" + whole + "]").verdict, V::unknown);
    EXPECT_EQ(read_answer(200, "{\"data\":" + whole + "}").verdict, V::unknown);
    EXPECT_EQ(read_answer(200, whole + "}").verdict, V::unknown);
    EXPECT_EQ(read_answer(200, whole.substr(0, whole.size() - 1)).verdict,
              V::unknown);
    EXPECT_EQ(read_answer(200, "").verdict, V::unknown);
    EXPECT_EQ(read_answer(200, "success:true").verdict, V::unknown);
    EXPECT_EQ(read_answer(200, std::string("\0", 1) + whole).verdict,
              V::unknown);
}

TEST(SettleAnswer, IsRefusedWhereNothingWasSent)
{
    for (int status : {200, 400, 402, 404, 422, 499}) {
        for (const char *transaction : {"\"\"", "null"}) {
            SettleAnswer answer = read_answer(
                status, failure("invalid_exact_evm_signature", transaction));
            EXPECT_EQ(answer.verdict, V::refused) << status;
            EXPECT_EQ(answer.reason, "invalid_exact_evm_signature");
            EXPECT_EQ(answer.receipt.find("{\"success\":false"), 0u);
        }
    }
    EXPECT_EQ(read_answer(200, R"({"success":false,)"
                               R"("errorReason":"insufficient_funds"})")
                  .verdict,
              V::refused);
    SettleAnswer reverted =
        read_answer(200, failure("transaction_failed", "\"0x1\""));
    EXPECT_EQ(reverted.verdict, V::refused);
    EXPECT_EQ(reverted.transaction, "0x1");
    SettleAnswer used = read_answer(
        400, failure("invalid_exact_evm_nonce_already_used", "\"\""));
    EXPECT_EQ(used.verdict, V::nonce_used);
    EXPECT_NE(used.receipt, "");
}

TEST(SettleAnswer, OfAFailedTransactionThatIsPendingIsUnknown)
{
    std::string reply = R"({"success":false,"transaction":"0x1",)"
                        R"("errorReason":"transaction_failed","errorMessage":)";
    EXPECT_EQ(read_answer(200, reply + R"("reverted"})").verdict, V::refused);
    EXPECT_EQ(read_answer(200, reply + R"("settlement_pending, but"})").verdict,
              V::unknown);
    SettleExpectation solana = {"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp",
                                "6KPYabc", "5"};
    SettleAnswer lost =
        read_settle_answer(answered(200, reply + R"("timed out"})"), solana);
    EXPECT_EQ(lost.verdict, V::unknown);
}

TEST(SettleAnswer, OfFailureWithoutProofIsUnknown)
{
    struct Row {
        const char *reason;
        const char *transaction;
        SettleVerdict verdict;
    };
    constexpr Row kRows[] = {
        {"", "\"\"", V::unknown},
        {"unexpected_settle_error", "\"\"", V::unknown},
        {"duplicate_settlement", "\"\"", V::unknown},
        {"duplicate_settlement", "\"0x1\"", V::unknown},
        {"invalid_transaction_state", "\"\"", V::unknown},
        {"transaction_failed", "\"\"", V::unknown},
        {"settlement_pending", "\"\"", V::unknown},
        {"settlement_pending", "\"0x1\"", V::pending},
        {"invalid_exact_evm_signature", "\"0x1\"", V::unknown},
        {"invalid_exact_evm_signature", "1", V::unknown},
        {"invalid_exact_evm_signature", "{}", V::unknown},
        {"invalid_exact_evm_signature", "false", V::unknown},
        {"invalid_exact_evm_nonce_already_used", "\"0x1\"", V::unknown},
        {"transaction_failed", "[]", V::unknown},
    };
    for (const Row &row : kRows) {
        SettleAnswer answer =
            read_answer(200, failure(row.reason, row.transaction));
        EXPECT_EQ(answer.verdict, row.verdict)
            << row.reason << " " << row.transaction;
        EXPECT_EQ(answer.receipt, "") << row.reason;
    }
    EXPECT_EQ(read_answer(200, R"({"success":false})").verdict, V::unknown);
    EXPECT_EQ(
        read_answer(200, R"({"success":false,"errorReason":null})").verdict,
        V::unknown);
}

// 5xx may have moved money whatever the body says.
TEST(SettleAnswer, OfABrokenServerIsUnknown)
{
    for (int status : {500, 502, 503, 504, 599}) {
        EXPECT_EQ(read_answer(status, success(kBare)).verdict, V::unknown);
        EXPECT_EQ(
            read_answer(status, failure("invalid_signature", "\"\"")).verdict,
            V::unknown);
        EXPECT_EQ(read_answer(status, "").verdict, V::unknown);
    }
}

TEST(SettleAnswer, OfAStatusAloneMayMeanNotProcessed)
{
    struct Row {
        int status;
        SettleVerdict verdict;
    };
    constexpr Row kRows[] = {
        {401, V::operator_fault}, {403, V::operator_fault},
        {404, V::operator_fault}, {307, V::operator_fault},
        {302, V::operator_fault}, {399, V::operator_fault},
        {429, V::rate_limited},   {400, V::unknown},
        {402, V::unknown},        {409, V::unknown},
        {408, V::unknown},        {422, V::unknown},
        {200, V::unknown},        {204, V::unknown},
        {100, V::unknown},        {0, V::unknown},
        {600, V::unknown},        {-1, V::unknown},
    };
    for (const Row &row : kRows) {
        for (const char *body : {"", "no", "{}", R"({"success":"false"})"}) {
            SettleAnswer answer = read_answer(row.status, body);
            EXPECT_EQ(answer.verdict, row.verdict) << row.status << body;
            EXPECT_EQ(answer.receipt, "");
        }
    }
    // With words about the settlement, the words count.
    EXPECT_EQ(
        read_answer(404, failure("unexpected_settle_error", "\"\"")).verdict,
        V::unknown);
    EXPECT_EQ(read_answer(403, success(kBare)).verdict, V::unknown);
    EXPECT_EQ(read_answer(429, failure("busy", "\"\"")).verdict, V::unknown);
    // A redirect proves that it was not processed, whatever comes with it.
    EXPECT_EQ(read_answer(307, success(kBare)).verdict, V::operator_fault);
}

TEST(SettleAnswer, WithoutAnAnswerIsUnknownUnlessNothingWasSent)
{
    struct Row {
        Transport transport;
        SettleVerdict verdict;
    };
    constexpr Row kRows[] = {
        {Transport::not_sent, V::not_sent},
        {Transport::no_connection, V::not_sent},
        {Transport::timed_out, V::unknown},
        {Transport::broken, V::unknown},
    };
    for (const Row &row : kRows) {
        FacilitatorReply reply = answered(200, success(kBare));
        reply.transport = row.transport;
        reply.detail = "what went wrong";
        SettleAnswer answer = read_settle_answer(reply, kExpected);
        EXPECT_EQ(answer.verdict, row.verdict);
        EXPECT_EQ(answer.receipt, "");
        EXPECT_EQ(answer.detail, "what went wrong");
    }
    EXPECT_EQ(SettleAnswer().verdict, V::unknown);
}

TEST(SettleAnswer, ComparesOtherPayersByText)
{
    SettleExpectation expected = {"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp",
                                  "6KPYabc", "5"};
    auto verdict = [&](const char *payer) {
        std::string body =
            R"({"success":true,"transaction":"t",)"
            R"("network":"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp","payer":")"
            + std::string(payer) + "\"}";
        return read_settle_answer(answered(200, body), expected).verdict;
    };
    EXPECT_EQ(verdict("6KPYabc"), V::paid);
    EXPECT_EQ(verdict("6KPYABC"), V::unknown);
    EXPECT_EQ(verdict("6KPYab"), V::unknown);
}

TEST(SettleAnswer, GivesAReceiptOfTheSchema)
{
    SettleAnswer answer = read_answer(
        200, R"({"extra":{"a":1},"network":"base-sepolia","secret":"x",)"
             R"("transaction":"0xfe","success":true,"payer":null})");
    EXPECT_EQ(answer.receipt, R"({"success":true,"transaction":"0xfe",)"
                              R"("network":"base-sepolia","extra":{"a":1}})");
    EXPECT_EQ(answer.transaction, "0xfe");
}

// What is shown is cut; what is judged is not.
TEST(SettleAnswer, JudgesTheWholeReason)
{
    std::string word = "invalid_exact_evm_nonce_already_used";
    std::string front(256 - word.size(), 'x');
    SettleAnswer answer =
        read_answer(200, failure((front + word + "_or_not").c_str(), "\"\""));
    EXPECT_EQ(answer.verdict, V::unknown);
    EXPECT_EQ(answer.reason, front + word);
}

TEST(SettleAnswer, LogsTheStatusAndTheFrontOfTheBody)
{
    EXPECT_EQ(read_answer(502, "Bad\nGateway").detail,
              "status 502, body \"Bad Gateway\"");
    EXPECT_EQ(read_answer(400, R"({"success":false})").detail,
              "status 400, body \"{'success':false}\"");
}

}  // namespace
}  // namespace x402
