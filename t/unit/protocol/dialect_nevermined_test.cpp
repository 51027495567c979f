// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/base64_codec.hpp"
#include "protocol/dialect.hpp"

namespace x402 {
namespace {

constexpr ResourceInfo kResource = {"http://shop/ask?a=1", "", "", "POST",
                                    "/ask"};

PaymentRequirements option(const char *plan, const char *agent)
{
    PaymentRequirements made;
    made.scheme = "nvm:erc4337";
    made.network = "eip155:84532";
    made.amount = "3";
    made.plan = plan;
    made.agent = agent;
    return made;
}

std::string offered(const Challenge &challenge)
{
    return base64_decode(dialect_nevermined().offer_value(challenge)).value();
}

TEST(DialectNevermined, OffersPlansAndLeavesOutWhatIsNotSaid)
{
    PaymentOffer offer;
    offer.add(option("123", ""), 0);
    Challenge challenge = {"why", false, kResource, offer, {}, {}};
    EXPECT_EQ(offered(challenge),
              R"({"x402Version":2,"error":"why","resource":{"url":"/ask"},)"
              R"("accepts":[{"scheme":"nvm:erc4337",)"
              R"("network":"eip155:84532","planId":"123",)"
              R"("extra":{"version":"1","httpVerb":"POST"}}],)"
              R"("extensions":{}})");
}

TEST(DialectNevermined, OffersAllThereIs)
{
    PaymentOffer offer;
    offer.add(option("1", "agent"), 0);
    offer.add(option("2", ""), 1);
    constexpr ResourceInfo kWhole = {"u", "d\"", "text/plain", "GET", "/p"};
    Challenge challenge = {"", false, kWhole, offer, R"({"a":1})", {}};
    EXPECT_EQ(
        offered(challenge),
        R"({"x402Version":2,"resource":{"url":"/p","description":"d\"",)"
        R"("mimeType":"text/plain"},"accepts":[)"
        R"({"scheme":"nvm:erc4337","network":"eip155:84532","planId":"1",)"
        R"("extra":{"version":"1","agentId":"agent","httpVerb":"GET"}},)"
        R"({"scheme":"nvm:erc4337","network":"eip155:84532","planId":"2",)"
        R"("extra":{"version":"1","httpVerb":"GET"}}],)"
        R"("extensions":{"a":1}})");
}

TEST(DialectNevermined, SaysWhereATokenIsExpected)
{
    PaymentOffer offer;
    Challenge challenge = {"Payment required", true, kResource, offer, {}, {}};
    challenge.token_header = "x-token";
    EXPECT_EQ(dialect_nevermined().offer_body(challenge),
              R"({"error":"Payment Required","message":"Missing x402 payment )"
              R"(token. Send token in x-token header."})");
    challenge.unpaid = false;
    EXPECT_EQ(dialect_nevermined().offer_body(challenge),
              R"({"error":"Payment Required","message":"Payment required"})");
}

TEST(DialectNevermined, AsksWithTheTokenAsItIs)
{
    PaymentOffer offer;
    offer.add(option("1", ""), 0);
    Challenge challenge = {"not told", false, kResource, offer, {}, {}};
    std::string required =
        R"({"paymentRequired":{"x402Version":2,"resource":{"url":"/ask"},)"
        R"("accepts":[{"scheme":"nvm:erc4337","network":"eip155:84532",)"
        R"("planId":"1","extra":{"version":"1","httpVerb":"POST"}}],)"
        R"("extensions":{}},"x402AccessToken":"a\"b","maxAmount":"3")";
    const Dialect &dialect = dialect_nevermined();
    EXPECT_EQ(dialect.token_request({challenge, "a\"b", "3", ""}),
              required + "}");
    EXPECT_EQ(dialect.token_request({challenge, "a\"b", "3", "id"}),
              required + R"(,"agentRequestId":"id"})");
}

TEST(DialectNevermined, LooksIntoNoToken)
{
    const Dialect &dialect = dialect_nevermined();
    EXPECT_TRUE(dialect.uses_bearer_tokens());
    for (const char *token : {"", "e30=", "eyJ4NDAyVmVyc2lvbiI6Mn0="}) {
        auto payload = dialect.decode(token, nullptr);
        ASSERT_FALSE(payload) << token;
        EXPECT_EQ(payload.problem().text, kPaymentRequired) << token;
    }
}

}  // namespace
}  // namespace x402
