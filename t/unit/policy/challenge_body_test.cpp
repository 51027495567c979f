// SPDX-License-Identifier: Apache-2.0
#include "policy/challenge_body.hpp"

#include <gtest/gtest.h>

#include "policy/accept_terms.hpp"

namespace x402 {
namespace {

PaymentOffer offer_of(std::initializer_list<std::string> networks,
                      const std::string &scheme = "exact")
{
    PaymentOffer offer;
    for (const std::string &network : networks) {
        AcceptTerms terms;
        terms.network = network;
        terms.price = "0.05";
        terms.scheme = scheme;
        terms.pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
        auto requirements = build_requirements(terms);
        EXPECT_TRUE(requirements.ok());
        offer.add(std::move(requirements.value()), 0);
    }
    return offer;
}

constexpr std::string_view kHeader = "PAYMENT-REQUIRED";

TEST(ChallengeBody, SaysThePriceInWords)
{
    PaymentOffer offer = offer_of({"base-sepolia"});
    EXPECT_EQ(challenge_body_json("Payment required", &offer, kHeader, ""),
              "{\"error\":\"Payment required\",\"accepts\":[],\"message\":"
              "\"This costs 0.05 USDC on Base Sepolia; the header "
              "PAYMENT-REQUIRED has the offer.\","
              "\"help\":\"https://x402.org\"}");
}

TEST(ChallengeBody, NamesThreeWaysAtMost)
{
    PaymentOffer two = offer_of({"base", "polygon"});
    EXPECT_NE(challenge_body_json("", &two, kHeader, "")
                  .find("0.05 USDC on Base, or 0.05 USDC on Polygon; the"),
              std::string::npos);
    PaymentOffer four = offer_of({"base", "polygon", "arbitrum", "avalanche"});
    EXPECT_NE(challenge_body_json("", &four, kHeader, "")
                  .find(", or in other ways; the"),
              std::string::npos);
    PaymentOffer most = offer_of({"base"}, "upto");
    EXPECT_NE(challenge_body_json("", &most, kHeader, "")
                  .find("costs at most 0.05 USDC"),
              std::string::npos);
}

TEST(ChallengeBody, WithoutAnOfferHasNoMessage)
{
    EXPECT_EQ(challenge_body_json("no", nullptr, kHeader, "https://a.example"),
              "{\"error\":\"no\",\"accepts\":[],"
              "\"help\":\"https://a.example\"}");
}

TEST(ChallengeBody, HintsAtWhatHelps)
{
    for (const char *reason :
         {"insufficient_funds", "invalid_exact_evm_insufficient_balance",
          "invalid_exact_evm_transaction_simulation_failed",
          "permit2_allowance_required", "permit2_deadline_expired",
          "invalid_exact_evm_nonce_already_used",
          "invalid_exact_evm_payload_signature",
          "No matching payment requirements"}) {
        EXPECT_FALSE(refusal_hint(reason).empty()) << reason;
        EXPECT_NE(challenge_body_json(reason, nullptr, "", "").find("hint"),
                  std::string::npos);
    }
    EXPECT_TRUE(refusal_hint("Payment required").empty());
    EXPECT_TRUE(refusal_hint("").empty());
}

}  // namespace
}  // namespace x402
