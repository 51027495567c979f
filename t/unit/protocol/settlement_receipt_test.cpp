// SPDX-License-Identifier: Apache-2.0
#include "protocol/settlement_receipt.hpp"

#include <gtest/gtest.h>

#include "vectors.hpp"

namespace x402 {
namespace {

std::string receipt_of(const char *answer, bool success)
{
    JsonDocument document = parse_json(answer);
    return settlement_receipt_json(document.root(), success);
}

TEST(SettlementReceipt, PutsMembersIntoTheOrderOfTheSchema)
{
    EXPECT_EQ(
        receipt_of(R"({"extra":{"z":1,"a":[2]},"extensions":{"e":{}},)"
                   R"("amount":"10000","network":"eip155:84532",)"
                   R"("transaction":"0xabc","payer":"0x1","errorMessage":"m",)"
                   R"("errorReason":"r","success":true})",
                   true),
        R"({"success":true,"errorReason":"r","errorMessage":"m",)"
        R"("payer":"0x1","transaction":"0xabc","network":"eip155:84532",)"
        R"("amount":"10000","extensions":{"e":{}},"extra":{"z":1,"a":[2]}})");
}

TEST(SettlementReceipt, DropsNullsAndStrangersAndKeepsEmptyTexts)
{
    EXPECT_EQ(receipt_of(R"({"success":false,"errorReason":null,"payer":"",)"
                         R"("transaction":"","network":"eip155:1",)"
                         R"("amount":null,"extra":null,"secret":"x",)"
                         R"("Payer":"0x2"})",
                         false),
              R"({"success":false,"payer":"","transaction":"",)"
              R"("network":"eip155:1"})");
}

TEST(SettlementReceipt, DropsMembersOfAWrongType)
{
    EXPECT_EQ(receipt_of(R"({"success":"yes","payer":5,"transaction":["0x"],)"
                         R"("network":"n","amount":100,"extensions":[],)"
                         R"("extra":"x"})",
                         true),
              R"({"success":true,"network":"n"})");
}

TEST(SettlementReceipt, SaysTheSuccessItIsToldNotTheOneInTheAnswer)
{
    EXPECT_EQ(receipt_of(R"({"success":true})", false), R"({"success":false})");
    EXPECT_EQ(receipt_of("[]", true), R"({"success":true})");
    EXPECT_EQ(settlement_receipt_json(JsonValue(), false),
              R"({"success":false})");
}

TEST(SettlementReceipt, LeavesOutWhatNoClientWouldTakeInAHeader)
{
    std::string answer = R"({"errorMessage":")" + std::string(20000, 'x')
                         + R"(","transaction":"0xabc","network":"n",)"
                         + R"("extensions":{"a":")" + std::string(5900, 'x')
                         + R"("},"extra":{"a":")" + std::string(200, 'x')
                         + R"("}})";
    std::string receipt = receipt_of(answer.c_str(), true);
    EXPECT_EQ(receipt.size(), 5900u + 74);
    EXPECT_EQ(
        receipt.substr(0, 68),
        R"({"success":true,"transaction":"0xabc","network":"n","extensions":{"a)");
    EXPECT_EQ(receipt.find("extra"), std::string::npos);
}

TEST(SettlementReceipt, EscapesWhatAFacilitatorSends)
{
    EXPECT_EQ(receipt_of(R"({"transaction":"a\r\nSet-Cookie: b\u0007"})", true),
              R"({"success":true,"transaction":"a\r\nSet-Cookie: b\u0007"})");
}

TEST(SettlementReceipt, WritesOneOfOurOwn)
{
    EXPECT_EQ(settlement_receipt_json(true, "0x1", "", "eip155:8453"),
              R"({"success":true,"payer":"0x1","transaction":"",)"
              R"("network":"eip155:8453"})");
}

}  // namespace
}  // namespace x402
