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
