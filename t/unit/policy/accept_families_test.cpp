// SPDX-License-Identifier: Apache-2.0
// Schemes, transfer methods and families of networks in x402_accept.
#include "policy/accept_terms.hpp"

#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "accept_samples.hpp"
#include "policy/asset_table.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

const char *pay_to_of(std::string_view network)
{
    constexpr std::pair<const char *, const char *> kReceivers[] = {
        {"solana", "2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4"},
        {"algorand",
         "RESOURCESERVERADDRESSAAAAAAAAAAAAAAAAAAAAAAAAAAAAAALTSRPAE"},
        {"stellar", "GAAACAQDAQCQMBYIBEFAWDANBYHRAEISCMKBKFQXDAMRUGY4DUPB7JZX"},
        {"aptos", "0x1234"},
        {"fast",
         "fast1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0sfh7dqh"},
    };
    for (const auto &[family, receiver] : kReceivers) {
        if (network.substr(0, network.find(':')) == family) {
            return receiver;
        }
    }
    return kPayTo;
}

TEST(AcceptFamilies, EveryKnownTokenIsSold)
{
    for (const Asset &asset : known_assets()) {
        SCOPED_TRACE(std::string(asset.network) + " "
                     + std::string(asset.symbol));
        AcceptTerms terms = sample_terms();
        terms.network = asset.network;
        terms.asset = asset.address;
        terms.pay_to = pay_to_of(asset.network);
        Result<PaymentRequirements> requirements = build_requirements(terms);
        ASSERT_TRUE(requirements) << requirements.problem().text;
        JsonValue extra = requirements->extra.root();
        bool domain = asset.method == TransferMethod::eip3009
                      || asset.method == TransferMethod::permit2_with_eip2612;
        EXPECT_EQ(extra["name"].exists(), domain);
        EXPECT_EQ(extra["name"].string(), domain ? asset.eip712_name : "");
        EXPECT_EQ(extra["version"].string(),
                  domain ? asset.eip712_version : "");
        bool permit2 = asset.method == TransferMethod::permit2
                       || asset.method == TransferMethod::permit2_with_eip2612;
        EXPECT_EQ(extra["assetTransferMethod"].string(),
                  permit2 ? "permit2" : "");
        EXPECT_EQ(requirements->needs_supported,
                  asset.network.find("solana") == 0
                      || asset.network.find("stellar") == 0);
    }
}

TEST(AcceptFamilies, UptoIsPaidByPermit2)
{
    AcceptTerms terms = sample_terms();
    terms.scheme = "upto";
    EXPECT_NE(json_of(terms).find(R"("extra":{"name":"USDC","version":"2",)"
                                  R"("assetTransferMethod":"permit2"})"),
              std::string::npos)
        << json_of(terms);
    terms.network = "eip155:38833";
    EXPECT_NE(json_of(terms).find(R"("extra":{"name":"USDC","version":"1",)"
                                  R"("assetTransferMethod":"permit2"})"),
              std::string::npos)
        << json_of(terms);
    terms.scheme = "exact";
    EXPECT_NE(
        json_of(terms).find(R"("extra":{"assetTransferMethod":"permit2"})"),
        std::string::npos);
    terms.scheme = "upto";
    terms.extra = R"({"assetTransferMethod":"eip3009"})";
    EXPECT_NE(problem_of(terms).find("can only be paid by permit2"),
              std::string::npos);
    terms = sample_terms();
    terms.scheme = "upto";
    terms.upfront = true;
    EXPECT_NE(problem_of(terms).find("leave out \"x402_settle before\""),
              std::string::npos);
    terms.upfront = false;
    terms.network = "solana";
    EXPECT_NE(problem_of(terms).find("is supported on eip155 networks only"),
              std::string::npos);
}

TEST(AcceptFamilies, UnknownTokensMayBePaidByPermit2)
{
    AcceptTerms terms = sample_terms();
    terms.asset = kUnknownAsset;
    terms.decimals = "2";
    terms.extra = R"({"assetTransferMethod":"permit2"})";
    EXPECT_NE(json_of(terms).find(R"("amount":"1",)"), std::string::npos)
        << json_of(terms);
    terms.extra = R"({"assetTransferMethod":"permit2","name":"Tok"})";
    EXPECT_NE(problem_of(terms).find("EIP-712 domain is needed"),
              std::string::npos);
}

TEST(AcceptFamilies, SettlingBeforeSaysSoWhereTheWireKnowsIt)
{
    AcceptTerms terms = sample_terms();
    terms.upfront = true;
    EXPECT_NE(json_of(terms).find(R"("version":"2","paymentFlow":"upfront"}})"),
              std::string::npos)
        << json_of(terms);
    terms.extra = R"({"paymentFlow":"upfront"})";
    EXPECT_NE(json_of(terms).find(R"("paymentFlow":"upfront"})"),
              std::string::npos);
    terms.extra = R"({"paymentFlow":"authorization"})";
    EXPECT_NE(problem_of(terms).find("leave out one of them"),
              std::string::npos);
    terms = sample_terms();
    terms.upfront = true;
    terms.network = "aptos:1";
    terms.pay_to = pay_to_of(terms.network);
    EXPECT_EQ(json_of(terms).find("paymentFlow"), std::string::npos);
    terms.extra = R"({"paymentFlow":"upfront"})";
    EXPECT_NE(problem_of(terms).find("does not know: leave it out"),
              std::string::npos);
    terms.network = "solana";
    terms.pay_to = pay_to_of("solana:");
    terms.extra.clear();
    EXPECT_NE(json_of(terms).find(R"("extra":{"paymentFlow":"upfront"})"),
              std::string::npos);
}

TEST(AcceptFamilies, AnOperatorWhoSaysItNeedsNoFacilitatorToSayIt)
{
    AcceptTerms terms = sample_terms();
    terms.network = "solana-devnet";
    terms.pay_to = pay_to_of("solana:");
    Result<PaymentRequirements> requirements = build_requirements(terms);
    ASSERT_TRUE(requirements) << requirements.problem().text;
    EXPECT_TRUE(requirements->needs_supported);
    terms.extra =
        R"({"feePayer":"EwWqGE4ZFKLofuestmU4LDdK7XM1N4ALgdZccwYugwGd"})";
    requirements = build_requirements(terms);
    ASSERT_TRUE(requirements) << requirements.problem().text;
    EXPECT_FALSE(requirements->needs_supported);
}

TEST(AcceptFamilies, NetworksOfUnknownFamiliesNeedAnAsset)
{
    AcceptTerms terms = sample_terms();
    terms.network = "cosmos:cosmoshub-3";
    terms.pay_to = "cosmos1fl48vsnmsdzcv85q5d2q4z5ajdha8yu34mf0eh";
    EXPECT_NE(problem_of(terms).find("has no token that dollars stand for"),
              std::string::npos);
    terms.asset = "uatom";
    terms.decimals = "6";
    EXPECT_NE(json_of(terms).find(R"("asset":"uatom")"), std::string::npos)
        << json_of(terms);
    terms.pay_to = "two words";
    EXPECT_NE(problem_of(terms).find("write printable ASCII"),
              std::string::npos);
}

}  // namespace
}  // namespace x402
