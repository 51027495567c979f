// SPDX-License-Identifier: Apache-2.0
#include "protocol/signed_offer.hpp"

#include <gtest/gtest.h>

#include "base/base64_codec.hpp"
#include "base/canonical_json.hpp"
#include "facilitator/auth_keys.hpp"

namespace x402 {
namespace {

OfferSigner signer()
{
    return {SigningKey::from_pem(kEd25519Pem).value(),
            "did:web:shop.example#key-1"};
}

PaymentOffer offer_of(std::size_t options)
{
    PaymentOffer offer;
    for (std::size_t i = 0; i < options; i++) {
        PaymentRequirements option;
        option.scheme = "exact";
        option.network = "eip155:84532";
        option.amount = std::to_string(10000 + i);
        option.asset = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
        option.pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
        option.max_timeout_seconds = 300;
        offer.add(std::move(option), i);
    }
    return offer;
}

std::string part(std::string_view jws, int index)
{
    for (; index > 0; index--) {
        jws.remove_prefix(jws.find('.') + 1);
    }
    return base64url_decode(jws.substr(0, jws.find('.'))).value_or("");
}

TEST(SignedOffer, SaysWhatIsOfferedInCanonicalForm)
{
    auto text = signed_offers(signer(), "https://a.example/\xc3\xbc",
                              offer_of(2), 1000);
    ASSERT_TRUE(text);
    auto document = JsonDocument::parse(*text);
    ASSERT_TRUE(document) << *text;
    JsonValue offers = document->root()["info"]["offers"];
    ASSERT_EQ(offers.size(), 2u);
    EXPECT_EQ(offers.at(1)["format"].string(), "jws");
    EXPECT_EQ(offers.at(1)["acceptIndex"].integer(), 1);
    std::string_view jws = offers.at(1)["signature"].string();
    EXPECT_EQ(part(jws, 0),
              R"({"alg":"EdDSA","kid":"did:web:shop.example#key-1"})");
    std::string payload = part(jws, 1);
    EXPECT_EQ(payload,
              R"({"amount":"10001",)"
              R"("asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e",)"
              R"("network":"eip155:84532",)"
              R"("payTo":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C",)"
              "\"resourceUrl\":\"https://a.example/\xc3\xbc\","
              R"("scheme":"exact","validUntil":1300,"version":1})");
    auto parsed = JsonDocument::parse(payload);
    EXPECT_EQ(canonical_json(parsed->root()), payload);
    EXPECT_EQ(part(jws, 2).size(), 64u);
}

TEST(SignedOffer, StaysWithinWhatAHeaderHolds)
{
    auto text =
        signed_offers(signer(), "https://a.example/" + std::string(1000, 'a'),
                      offer_of(8), 1000);
    ASSERT_TRUE(text);
    EXPECT_LT(text->size(), 6 * 1024u);
    auto document = JsonDocument::parse(*text);
    EXPECT_GE(document->root()["info"]["offers"].size(), 1u);
    EXPECT_LT(document->root()["info"]["offers"].size(), 8u);
}

constexpr char kReceipt[] =
    R"({"success":true,"payer":"0xAb","transaction":"0xcd",)"
    R"("network":"eip155:84532","extensions":{"other":1,"offer-receipt":2}})";

TEST(SignedOffer, AReceiptKeepsWhatItHad)
{
    auto jws = sign_receipt(signer(), kReceipt, "https://a.example/x", 77);
    ASSERT_TRUE(jws);
    EXPECT_EQ(part(*jws, 1),
              R"({"issuedAt":77,"network":"eip155:84532","payer":"0xAb",)"
              R"("resourceUrl":"https://a.example/x","transaction":"0xcd",)"
              R"("version":1})");
    auto document = JsonDocument::parse(with_signed_receipt(kReceipt, *jws));
    ASSERT_TRUE(document);
    JsonValue root = document->root();
    EXPECT_TRUE(root["success"].is_true());
    EXPECT_EQ(root["transaction"].string(), "0xcd");
    EXPECT_EQ(root["extensions"]["other"].integer(), 1);
    EXPECT_EQ(
        root["extensions"]["offer-receipt"]["info"]["receipt"]["signature"]
            .string(),
        *jws);
}

TEST(SignedOffer, ATransactionIsNamedOnlyIfThereIsOneAndItMayBe)
{
    OfferSigner quiet = signer();
    quiet.tells_transaction = false;
    auto jws = sign_receipt(quiet, kReceipt, "u", 77);
    ASSERT_TRUE(jws);
    EXPECT_EQ(part(*jws, 1).find("transaction"), std::string::npos);
    jws = sign_receipt(
        signer(),
        R"({"success":true,"payer":"a","transaction":"","network":"b"})", "u",
        77);
    ASSERT_TRUE(jws);
    EXPECT_EQ(part(*jws, 1).find("transaction"), std::string::npos);
}

TEST(SignedOffer, OnlyWhatWasPaidHasAReceipt)
{
    for (const char *receipt :
         {R"({"success":false,"payer":"a","transaction":"","network":"b"})",
          R"({"success":"true","payer":"a","network":"b"})",
          R"({"success":true,"payer":"","network":"b"})",
          R"({"success":true,"payer":"a"})", "", "null", "{"}) {
        EXPECT_FALSE(sign_receipt(signer(), receipt, "u", 77)) << receipt;
    }
}

}  // namespace
}  // namespace x402
