// SPDX-License-Identifier: Apache-2.0
#include "policy/evm_payment_signature.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/base64_codec.hpp"
#include "base/hex_codec.hpp"
#include "protocol/payment_payload.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

std::string text_of(JsonValue value)
{
    std::string text;
    value.write(text);
    return text;
}

PaymentRequirements requirements_of(JsonValue offered)
{
    // Version 1 calls this network by its name.
    std::string network(offered["network"].string());
    PaymentRequirements requirements;
    requirements.scheme = offered["scheme"].string();
    requirements.network = network == "base-sepolia" ? "eip155:84532" : network;
    requirements.asset = offered["asset"].string();
    requirements.pay_to = offered["payTo"].string();
    requirements.extra = parse_json(text_of(offered["extra"]));
    return requirements;
}

SchemePayload scheme_of(JsonValue offered, JsonValue payload)
{
    auto scheme = read_scheme_payload(offered["scheme"].string(),
                                      offered["network"].string(),
                                      offered["asset"].string(), payload);
    EXPECT_TRUE(scheme);
    return scheme ? std::move(scheme.value()) : SchemePayload();
}

TEST(EvmPaymentSignature, SignsWhatTheOfficialClientSigns)
{
    JsonDocument document = read_vectors("evm-payments.json");
    JsonValue vectors = document.root()["vectors"];
    EXPECT_GE(vectors.size(), 9u);
    for (std::size_t i = 0; i < vectors.size(); ++i) {
        JsonValue row = vectors.at(i);
        SCOPED_TRACE(std::string(row["name"].string()));
        JsonValue offered = row["paymentRequired"]["accepts"].at(0);
        JsonValue payload = row["decoded"]["payload"];
        SchemePayload scheme = scheme_of(offered, payload);
        PaymentRequirements requirements = requirements_of(offered);
        auto digest = payment_digest(payload, scheme, requirements);
        ASSERT_TRUE(digest);
        EXPECT_EQ("0x" + hex_encode(digest->data(), digest->size()),
                  row["eip712"]["digest"].string());
        EXPECT_EQ(is_signed_by_payer(payload, scheme, requirements),
                  has_evm_signer());
        // Another chain, another token.
        requirements.network = "eip155:1";
        EXPECT_FALSE(is_signed_by_payer(payload, scheme, requirements));
    }
}

// Each of them is asked about at a facilitator instead.
TEST(EvmPaymentSignature, KnowsNoOtherSignature)
{
    JsonDocument document = read_vectors("evm-payments.json");
    JsonValue rows = document.root()["negative"];
    EXPECT_GE(rows.size(), 6u);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        JsonValue row = rows.at(i);
        SCOPED_TRACE(std::string(row["name"].string()));
        auto bytes = base64_decode(row["header"].string());
        ASSERT_TRUE(bytes);
        JsonDocument sent = parse_json(*bytes);
        JsonValue offered = sent.root()["accepted"];
        JsonValue payload = sent.root()["payload"];
        EXPECT_FALSE(is_signed_by_payer(payload, scheme_of(offered, payload),
                                        requirements_of(offered)));
    }
}

class EvmPaymentSignatureOf : public ::testing::Test {
protected:
    void SetUp() override
    {
        document_ = read_vectors("evm-payments.json");
        JsonValue row = document_.root()["vectors"].at(0);
        offered_ = row["paymentRequired"]["accepts"].at(0);
        payload_ = row["decoded"]["payload"];
        scheme_ = scheme_of(offered_, payload_);
        requirements_ = requirements_of(offered_);
    }

    JsonDocument document_;
    JsonValue offered_;
    JsonValue payload_;
    SchemePayload scheme_;
    PaymentRequirements requirements_;
};

TEST_F(EvmPaymentSignatureOf, NeedsTheDomainOfTheToken)
{
    requirements_.extra = parse_json(R"({"name":"USDC"})");
    EXPECT_FALSE(payment_digest(payload_, scheme_, requirements_));
    requirements_.extra = parse_json(R"({"name":"USDC","version":"1"})");
    EXPECT_FALSE(is_signed_by_payer(payload_, scheme_, requirements_));
}

TEST_F(EvmPaymentSignatureOf, KnowsEvmNetworksAlone)
{
    for (const char *network : {"solana:5eykt4", "eip155:", "eip155:x", ""}) {
        requirements_.network = network;
        EXPECT_FALSE(payment_digest(payload_, scheme_, requirements_));
    }
    scheme_.form = PaymentForm::opaque;
    requirements_.network = "eip155:84532";
    EXPECT_FALSE(payment_digest(payload_, scheme_, requirements_));
}

TEST_F(EvmPaymentSignatureOf, KnowsNoOtherSpender)
{
    JsonDocument document = read_vectors("evm-payments.json");
    JsonValue vectors = document.root()["vectors"];
    for (std::size_t i = 0; i < vectors.size(); ++i) {
        JsonValue row = vectors.at(i);
        JsonValue offered = row["paymentRequired"]["accepts"].at(0);
        std::string text = text_of(row["decoded"]["payload"]);
        std::size_t spender = text.find("\"spender\":\"0x");
        if (spender == std::string::npos) {
            continue;
        }
        text.replace(spender + 13, 4, "dead");
        JsonDocument changed = parse_json(text);
        SchemePayload scheme = scheme_of(offered, changed.root());
        EXPECT_FALSE(
            payment_digest(changed.root(), scheme, requirements_of(offered)));
    }
}

}  // namespace
}  // namespace x402
