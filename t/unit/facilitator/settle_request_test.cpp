// SPDX-License-Identifier: Apache-2.0
#include "facilitator/settle_request.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

TEST(SettleRequest, IsReadBackInBothVersions)
{
    auto second = read_settle_request(
        R"({"x402Version":2,"paymentPayload":{},"paymentRequirements":{)"
        R"("scheme":"exact","network":"eip155:84532","amount":"10000",)"
        R"("asset":"0xa","payTo":"0xb"}})");
    ASSERT_TRUE(second);
    EXPECT_EQ(second->network, "eip155:84532");
    EXPECT_EQ(second->receipt_network, "eip155:84532");
    EXPECT_EQ(second->amount, "10000");
    EXPECT_EQ(second->asset, "0xa");
    EXPECT_EQ(second->pay_to, "0xb");

    EXPECT_FALSE(second->at_most);

    auto first = read_settle_request(
        R"({"x402Version":1,"paymentRequirements":{"network":"base-sepolia","scheme":"upto",)"
        R"("maxAmountRequired":"7"}})");
    ASSERT_TRUE(first);
    EXPECT_EQ(first->network, "eip155:84532");
    EXPECT_EQ(first->receipt_network, "base-sepolia");
    EXPECT_EQ(first->amount, "7");
    EXPECT_TRUE(first->at_most);
}

TEST(SettleRequest, TellsWhetherOtherTermsAreSigned)
{
    auto other = [](const std::string &payload, const std::string &now) {
        auto document = JsonDocument::parse(now);
        return signs_other_terms(R"({"paymentPayload":{"payload":)" + payload
                                     + R"(},"paymentRequirements":{}})",
                                 document->root());
    };
    const char *sent =
        R"({"signature":"0xaa","authorization":{"from":"0xA","to":"0xB",)"
        R"("value":"7","validAfter":"0","validBefore":"99","nonce":"0xC"}})";
    const char *spelled =
        R"({"authorization":{"nonce":"0xc","to":"0xb","value":7,"more":1,)"
        R"("from":"0xa","validBefore":99,"validAfter":"0"},"signature":"0xbb"})";
    EXPECT_FALSE(other(sent, sent));
    EXPECT_FALSE(other(sent, spelled)) << "the same terms in other clothes";
    const char *later =
        R"({"signature":"0xaa","authorization":{"from":"0xA","to":"0xB",)"
        R"("value":"7","validAfter":"0","validBefore":"98","nonce":"0xC"}})";
    EXPECT_TRUE(other(sent, later));
    const char *permit =
        R"({"permit2Authorization":{"permitted":{"token":"0xA","amount":"7"},)"
        R"("deadline":"99","witness":{"to":"0xB"}}})";
    const char *other_permit =
        R"({"permit2Authorization":{"permitted":{"token":"0xA","amount":"7"},)"
        R"("deadline":"99","witness":{"to":"0xC"}}})";
    EXPECT_FALSE(other(permit, permit));
    EXPECT_TRUE(other(permit, other_permit));
    EXPECT_FALSE(other(sent, permit)) << "nothing to compare";
    EXPECT_FALSE(other("1", permit));
    auto document = JsonDocument::parse(sent);
    EXPECT_FALSE(signs_other_terms("no JSON", document->root()));
}

TEST(SettleRequest, RefusesWhatIsNone)
{
    EXPECT_FALSE(read_settle_request(""));
    EXPECT_FALSE(read_settle_request("{"));
    EXPECT_FALSE(read_settle_request("{}"));
    EXPECT_FALSE(
        read_settle_request(R"({"paymentRequirements":{"network":1}})"));
}

}  // namespace
}  // namespace x402
