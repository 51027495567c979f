// SPDX-License-Identifier: Apache-2.0
#include "protocol/payment_requirements.hpp"

#include <gtest/gtest.h>

#include "vectors.hpp"

namespace x402 {
namespace {

TEST(PaymentRequirements, HasSevenMembersInTheReferencesOrder)
{
    PaymentRequirements requirements;
    requirements.scheme = "exact";
    requirements.network = "eip155:84532";
    requirements.amount = "10000";
    requirements.asset = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
    requirements.pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
    requirements.extra = parse_json(R"({"name":"USDC","version":"2"})");

    EXPECT_EQ(requirements.json(),
              R"({"scheme":"exact","network":"eip155:84532","amount":"10000",)"
              R"("asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e",)"
              R"("payTo":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C",)"
              R"("maxTimeoutSeconds":300,)"
              R"("extra":{"name":"USDC","version":"2"}})");
}

TEST(PaymentRequirements, ExtraIsAnObjectEvenWhenThereIsNone)
{
    PaymentRequirements requirements;
    requirements.pay_to = "say \"me\"";
    requirements.max_timeout_seconds = 4294967295u;
    EXPECT_EQ(requirements.json(),
              R"({"scheme":"","network":"","amount":"","asset":"",)"
              R"("payTo":"say \"me\"","maxTimeoutSeconds":4294967295,)"
              R"("extra":{}})");
}

}  // namespace
}  // namespace x402
