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
        {"tvm", "0:92433a576cbe56c4dcc86d94b497a2cf18a9baa9c8283fea28ea43eb3"
                "c25cfed"},
        {"tron", "TGCAjMXComunWZEXCT1LPBdcYbDVuyexBv"},
        {"starknet", "0x02dd1b492765c064eac4039e3841aa5f382773b598097a40073bd8b"
                     "48170ab57"},
        {"casper", "007a9f9948cb7b258d18f3c5e85780372971b5b40096e724c9e596c284a"
                   "01445fa"},
        {"keeta", "keeta_aabravistgwbrkpl4euafuiualiwcemgvv2hnu7ci66i76naj4vm6t"
                  "meahmzria"},
    };
    if (network == "cardano:mainnet") {
        return "addr1v874jw0m2cq7tdq7aenxmws5cznaz5w5ekdsu9nfrn36nfqy5qq07";
    }
    if (network == "cardano:preprod") {
        return "addr_test1vr74jw0m2cq7tdq7aenxmws5cznaz5w5ekdsu9nfrn36nfqlu5uq"
               "m";
    }
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
                      || asset.method == TransferMethod::permit2_with_eip2612
                      || asset.network.find("casper:") == 0;
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
                      || asset.network.find("starknet") == 0
                      || asset.network.find("stellar") == 0);
        EXPECT_EQ(extra["areFeesSponsored"].is_true(),
                  asset.network.find("tvm:") == 0);
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

TEST(AcceptFamilies, TonIsSentInTheRawForm)
{
    AcceptTerms terms = sample_terms();
    terms.network = "tvm:-239";
    terms.asset = "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs";
    terms.pay_to = "UQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_p0p";
    // Another form of the token's own address.
    EXPECT_NE(problem_of(terms).find("is the address of the token"),
              std::string::npos);
    terms.pay_to =
        "0:92433A576CBE56C4DCC86D94B497A2CF18A9BAA9C8283FEA28EA43EB3C25CFED";
    EXPECT_NE(
        json_of(terms).find(
            R"("amount":"10000","asset":"0:b113a994b5024a16719f69139328eb)"
            R"(759596c38a25f59028b146fecdc3621dfe","payTo":"0:92433a576cbe56c4)"
            R"(dcc86d94b497a2cf18a9baa9c8283fea28ea43eb3c25cfed",)"),
        std::string::npos)
        << json_of(terms);
    EXPECT_NE(json_of(terms).find(R"("extra":{"areFeesSponsored":true}})"),
              std::string::npos)
        << json_of(terms);
}

TEST(AcceptFamilies, TronNamesItsMethodAndHasNoDollarToken)
{
    AcceptTerms terms = sample_terms();
    terms.network = "tron:728126428";
    terms.pay_to = pay_to_of(terms.network);
    EXPECT_NE(problem_of(terms).find("has no token that dollars stand for"),
              std::string::npos);
    terms.asset = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t";
    terms.decimals = "6";
    for (const char *method : {"permit2", "tip3009"}) {
        terms.extra =
            R"({"assetTransferMethod":")" + std::string(method) + R"("})";
        EXPECT_NE(json_of(terms).find("\"extra\":" + terms.extra),
                  std::string::npos)
            << json_of(terms);
    }
    terms.extra = R"({"assetTransferMethod":"eip3009"})";
    EXPECT_NE(problem_of(terms).find("write permit2 or tip3009"),
              std::string::npos);
}

TEST(AcceptFamilies, CasperSignsForADomain)
{
    AcceptTerms terms = sample_terms();
    terms.network = "casper:casper-test";
    terms.pay_to = pay_to_of(terms.network);
    EXPECT_NE(
        json_of(terms).find(R"("extra":{"name":"csprUSD","version":"1"}})"),
        std::string::npos)
        << json_of(terms);
    std::string known(default_asset("casper:casper-test")->address);
    for (char &letter : known) {
        letter = letter == 'b' ? 'B' : letter;
    }
    terms.asset = known;
    EXPECT_NE(json_of(terms).find(R"("name":"csprUSD")"), std::string::npos);
    terms.asset =
        "17be3c3dc67ddf193b8f64bfc2421826407470f88b3dab68184ebffebdd57f59";
    terms.decimals = "9";
    EXPECT_NE(problem_of(terms).find("EIP-712 domain is needed"),
              std::string::npos);
    terms.extra = R"({"name":"Casper X402 Token","version":"1"})";
    EXPECT_NE(json_of(terms).find(R"("extra":{"name":"Casper X402 Token",)"),
              std::string::npos)
        << json_of(terms);
}

}  // namespace
}  // namespace x402
