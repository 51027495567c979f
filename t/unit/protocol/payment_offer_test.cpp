// SPDX-License-Identifier: Apache-2.0
#include "protocol/payment_offer.hpp"

#include "policy/accept_terms.hpp"
#include "protocol/dialect.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

constexpr const char *kPayTo = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";

PaymentRequirements option(const char *network, const char *price)
{
    AcceptTerms terms;
    terms.network = network;
    terms.price = price;
    terms.pay_to = kPayTo;
    Result<PaymentRequirements> requirements = build_requirements(terms);
    if (!requirements) {
        ADD_FAILURE() << requirements.problem().text;
        return {};
    }
    return std::move(requirements.value());
}

// As version 2 finds it.
const PaymentOffer::Option *matching(const PaymentOffer &offer,
                                     JsonValue accepted)
{
    PaymentPayload payload;
    std::string text = "{\"x402Version\":2,\"accepted\":";
    if (accepted.exists()) {
        accepted.write(text);
    } else {
        text += "null";
    }
    payload.document = parse_json(text + "}");
    return dialect_v2().match(offer, payload);
}

PaymentOffer offer_of_three()
{
    PaymentOffer offer;
    offer.add(option("base-sepolia", "0.01"), 0);
    offer.add(option("base", "0.01"), 0);
    offer.add(option("base", "0.05"), 0);
    return offer;
}

TEST(PaymentOffer, OfNothingIsAnEmptyArray)
{
    PaymentOffer offer;
    EXPECT_EQ(offer.accepts_json(), "[]");
    EXPECT_TRUE(offer.options().empty());
    EXPECT_EQ(matching(offer, JsonValue()), nullptr);
    JsonDocument accepted = parse_json("{}");
    EXPECT_EQ(matching(offer, accepted.root()), nullptr);
}

TEST(PaymentOffer, WritesItsWaysInOrder)
{
    PaymentOffer offer = offer_of_three();
    ASSERT_EQ(offer.options().size(), 3u);
    std::string expected = "[";
    for (const PaymentOffer::Option &each : offer.options()) {
        EXPECT_EQ(each.json, each.requirements.json());
        expected += (expected.size() > 1 ? "," : "") + each.json;
    }
    EXPECT_EQ(offer.accepts_json(), expected + "]");

    JsonDocument accepts = parse_json(offer.accepts_json());
    ASSERT_EQ(accepts.root().size(), 3u);
    EXPECT_EQ(accepts.root().at(0)["network"].string(), "eip155:84532");
    EXPECT_EQ(accepts.root().at(1)["amount"].string(), "10000");
    EXPECT_EQ(accepts.root().at(2)["amount"].string(), "50000");

    PaymentOffer one;
    one.add(option("base", "1"), 0);
    EXPECT_EQ(one.accepts_json(), "[" + one.options()[0].json + "]");
}

TEST(PaymentOffer, FindsTheWayThatIsMeant)
{
    PaymentOffer offer = offer_of_three();
    JsonDocument accepts = parse_json(offer.accepts_json());
    for (std::size_t index = 0; index < 3; ++index) {
        EXPECT_EQ(matching(offer, accepts.root().at(index)),
                  &offer.options()[index])
            << index;
    }
}

TEST(PaymentOffer, TakesNoMixtureOfItsWays)
{
    PaymentOffer offer = offer_of_three();
    std::string cheap = offer.options()[1].json;
    std::size_t place = cheap.find("10000");
    ASSERT_NE(place, std::string::npos);
    for (const char *amount : {"9999", "1", "0", "100000", "50001"}) {
        std::string mixed = cheap;
        mixed.replace(place, 5, amount);
        JsonDocument accepted = parse_json(mixed);
        EXPECT_EQ(matching(offer, accepted.root()), nullptr) << mixed;
    }
    // The test network's token on the real network.
    std::string mixed = offer.options()[0].json;
    place = mixed.find("eip155:84532");
    ASSERT_NE(place, std::string::npos);
    JsonDocument accepted = parse_json(mixed.replace(place, 12, "eip155:8453"));
    EXPECT_EQ(matching(offer, accepted.root()), nullptr);
}

TEST(PaymentOffer, TakesTheFirstOfTwoThatAreMeant)
{
    PaymentOffer offer;
    offer.add(option("base", "0.01"), 0);
    offer.add(option("base", "0.01"), 0);
    JsonDocument accepted = parse_json(offer.options()[1].json);
    EXPECT_EQ(matching(offer, accepted.root()), &offer.options()[0]);
}

}  // namespace
}  // namespace x402
