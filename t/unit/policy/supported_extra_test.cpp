// SPDX-License-Identifier: Apache-2.0
#include "policy/supported_extra.hpp"

#include <string>

#include <gtest/gtest.h>

#include "vectors.hpp"

namespace x402 {
namespace {

constexpr const char *kSolana = "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1";

std::string extra_with(const std::string &scheme, const std::string &network,
                       const char *own, const char *parsed, bool needed = false)
{
    PaymentRequirements requirements;
    requirements.scheme = scheme;
    requirements.network = network;
    requirements.amount = "1";
    requirements.asset = "a";
    requirements.pay_to = "p";
    requirements.max_timeout_seconds = 7;
    requirements.v1_network = "n";
    requirements.decimals = 3;
    requirements.needs_supported = needed;
    requirements.extra = parse_json(own);
    JsonDocument kind = parse_json(parsed);
    auto whole = with_supported_extra(requirements, kind.root());
    if (!whole) {
        return whole.problem().text;
    }
    EXPECT_FALSE(whole->needs_supported);
    EXPECT_EQ(whole->v1_network, "n");
    EXPECT_EQ(whole->decimals, 3u);
    std::string text = written(whole->extra.root());
    requirements.extra = parse_json(text);
    EXPECT_EQ(whole->json(), requirements.json());
    return text;
}

constexpr const char *kFeePayer =
    R"({"feePayer":"EwWqGE4ZFKLofuestmU4LDdK7XM1N4ALgdZccwYugwGd",)"
    R"("paymentFlow":"upfront","assetTransferMethod":"x","memo":"m"})";

TEST(SupportedExtra, TakesTheMembersOfSchemeAndNetworkOnly)
{
    EXPECT_EQ(extra_with("exact", kSolana, "{}", kFeePayer, true),
              R"({"feePayer":"EwWqGE4ZFKLofuestmU4LDdK7XM1N4ALgdZccwYugwGd"})");
    EXPECT_EQ(extra_with("exact", "eip155:1", R"({"name":"N"})", kFeePayer),
              R"({"name":"N"})");
    EXPECT_EQ(extra_with("exact", "stellar:pubnet", "{}",
                         R"({"areFeesSponsored":false,"feePayer":"F"})", true),
              R"({"areFeesSponsored":false})");
    EXPECT_EQ(extra_with("exact", "sui:mainnet", "{}",
                         R"({"gasStation":"https://gas.example"})"),
              R"({"gasStation":"https://gas.example"})");
    EXPECT_EQ(extra_with("exact", "hedera:mainnet", "{}",
                         R"({"feePayer":"0.0.5"})", true),
              R"({"feePayer":"0.0.5"})");
    EXPECT_EQ(extra_with("exact", "aptos:1", "{}", R"({"feePayer":"0x5"})"),
              R"({"feePayer":"0x5"})");
}

TEST(SupportedExtra, ChecksumsTheFacilitatorsAddress)
{
    EXPECT_EQ(extra_with("upto", "eip155:1",
                         R"({"assetTransferMethod":"permit2"})",
                         R"({"facilitatorAddress":)"
                         R"("0x209693bc6afc0c5328ba36faf03c514ef312287c"})"),
              R"({"assetTransferMethod":"permit2","facilitatorAddress":)"
              R"("0x209693Bc6afc0C5328bA36FaF03C514EF312287C"})");
    EXPECT_EQ(extra_with("upto", "eip155:1", "{}", "{}"), "{}");
    EXPECT_EQ(extra_with("upto", "eip155:1", "{}", "null"), "{}");
}

TEST(SupportedExtra, TheOperatorsOwnWins)
{
    EXPECT_EQ(extra_with("exact", kSolana, R"({"feePayer":"mine"})", kFeePayer),
              R"({"feePayer":"mine"})");
}

TEST(SupportedExtra, SaysWhatIsMissing)
{
    EXPECT_EQ(extra_with("exact", kSolana, "{}", "{}", true),
              "feePayer is missing in the kind that the facilitator supports "
              "for scheme exact on "
                  + std::string(kSolana));
    for (const char *parsed : {R"({"feePayer":5})", R"({"feePayer":""})",
                               R"({"feePayer":"0OIl"})"}) {
        EXPECT_NE(extra_with("exact", kSolana, "{}", parsed, true)
                      .find("feePayer is not valid in"),
                  std::string::npos)
            << parsed;
    }
    EXPECT_NE(extra_with("exact", "stellar:pubnet", "{}",
                         R"({"areFeesSponsored":"yes"})", true)
                  .find("is not valid"),
              std::string::npos);
}

}  // namespace
}  // namespace x402
