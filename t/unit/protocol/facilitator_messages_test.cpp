// SPDX-License-Identifier: Apache-2.0
#include "protocol/facilitator_messages.hpp"

#include "protocol/dialect.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

PaymentOffer offer()
{
    PaymentRequirements option;
    option.scheme = "exact";
    option.network = "eip155:8453";
    option.v1_network = "base";
    option.amount = "10000";
    option.asset = "0xToken";
    option.pay_to = "0xSeller";
    option.extra = parse_json(R"({"name":"USD Coin"})");
    PaymentOffer made;
    made.add(std::move(option), 0);
    return made;
}

PaymentPayload payment(unsigned version, const std::string &text)
{
    PaymentPayload payload;
    payload.version = version;
    payload.text = text;
    payload.document = parse_json(text);
    return payload;
}

constexpr ResourceInfo kResource = {"http://shop/x?y=1", "\"Weather\"",
                                    "text/plain", "GET"};

constexpr const char *kNewWay =
    R"({"scheme":"exact","network":"eip155:8453","amount":"10000",)"
    R"("asset":"0xToken","payTo":"0xSeller","maxTimeoutSeconds":300,)"
    R"("extra":{"name":"USD Coin"}})";

constexpr const char *kOldWay =
    R"({"scheme":"exact","network":"base","maxAmountRequired":"10000",)"
    R"("resource":"http://shop/x?y=1","description":"\"Weather\"",)"
    R"("mimeType":"text/plain","payTo":"0xSeller","maxTimeoutSeconds":300,)"
    R"("asset":"0xToken",)"
    R"("outputSchema":{"input":{"type":"http","method":"GET",)"
    R"("discoverable":true}},"extra":{"name":"USD Coin"}})";

TEST(FacilitatorMessages, TakesAPaymentOfItsVersionOverByteForByte)
{
    PaymentOffer offered = offer();
    const char *text = R"({ "x402Version" : 2, "unknown" : 1234567890123 })";
    EXPECT_EQ(facilitator_request_json(2, payment(2, text),
                                       offered.options()[0], kResource),
              std::string(R"({"x402Version":2,"paymentPayload":)") + text
                  + R"(,"paymentRequirements":)" + kNewWay + "}");
    EXPECT_EQ(facilitator_request_json(1, payment(1, text),
                                       offered.options()[0], kResource),
              std::string(R"({"x402Version":1,"paymentPayload":)") + text
                  + R"(,"paymentRequirements":)" + kOldWay + "}");
}

TEST(FacilitatorMessages, PutsTheSchemesPartIntoTheOtherVersion)
{
    PaymentOffer offered = offer();
    PaymentPayload old =
        payment(1, R"({"x402Version":1,"scheme":"exact","network":"base",)"
                   R"("payload":{"signature":"0x12"}})");
    EXPECT_EQ(
        facilitator_request_json(2, old, offered.options()[0], kResource),
        std::string(R"({"x402Version":2,"paymentPayload":{"x402Version":2,)"
                    R"("payload":{"signature":"0x12"},"accepted":)")
            + kNewWay + R"(},"paymentRequirements":)" + kNewWay + "}");

    PaymentPayload young =
        payment(2, R"({"x402Version":2,"payload":{"signature":"0x12"},)"
                   R"("accepted":{"scheme":"exact"}})");
    EXPECT_EQ(
        facilitator_request_json(1, young, offered.options()[0], kResource),
        std::string(R"({"x402Version":1,"paymentPayload":{"x402Version":1,)"
                    R"("scheme":"exact","network":"base",)"
                    R"("payload":{"signature":"0x12"}},)"
                    R"("paymentRequirements":)")
            + kOldWay + "}");
}

}  // namespace
}  // namespace x402
