// SPDX-License-Identifier: Apache-2.0
#include "policy/claim_key.hpp"

#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "vectors.hpp"

namespace x402 {
namespace {

constexpr const char *kAccepted =
    R"({"network":"eip155:84532",)"
    R"("asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e"})";

Eip3009Authorization sample_authorization()
{
    Eip3009Authorization authorization{};
    authorization.from.fill(0x11);
    authorization.to.fill(0x22);
    authorization.value = "10000";
    authorization.nonce.fill(0x33);
    return authorization;
}

std::optional<Digest> key_of(JsonValue accepted,
                             const Eip3009Authorization &authorization)
{
    return eip3009_claim_key(accepted["network"].string(),
                             accepted["asset"].string(), authorization);
}

std::optional<Digest> key_of(const char *accepted,
                             const Eip3009Authorization &authorization)
{
    JsonDocument document = parse_json(accepted);
    return key_of(document.root(), authorization);
}

TEST(ClaimKey, IsTheSameForEverySpelling)
{
    const std::optional<Digest> key = key_of(kAccepted, sample_authorization());
    ASSERT_TRUE(key);
    for (const char *accepted :
         {R"({"asset":"0x036cbd53842c5426634e7929541ec2318f3dcf7e",)"
          R"("network":"base-sepolia","amount":"1","extra":{"a":1}})",
          R"({"network":"eip155:0084532",)"
          R"("asset":"0x036CBD53842C5426634E7929541EC2318F3DCF7E"})",
          R"({"network":"eip155:\u0038\u0034532","payTo":"x",)"
          R"("asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e"})"}) {
        EXPECT_EQ(key_of(accepted, sample_authorization()), key) << accepted;
    }
}

TEST(ClaimKey, DependsOnChainTokenPayerAndNonceOnly)
{
    std::set<Digest> keys;
    keys.insert(*key_of(kAccepted, sample_authorization()));
    keys.insert(
        *key_of(R"({"network":"eip155:8453",)"
                R"("asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e"})",
                sample_authorization()));
    keys.insert(
        *key_of(R"({"network":"eip155:84532",)"
                R"("asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7f"})",
                sample_authorization()));
    Eip3009Authorization other = sample_authorization();
    other.from[19] ^= 1;
    keys.insert(*key_of(kAccepted, other));
    other = sample_authorization();
    other.nonce[0] ^= 0x80;
    keys.insert(*key_of(kAccepted, other));
    EXPECT_EQ(keys.size(), 5u);

    other = sample_authorization();
    other.to.fill(0);
    other.value = "1";
    other.valid_after = 5;
    other.valid_before = 6;
    EXPECT_EQ(keys.count(*key_of(kAccepted, other)), 1u);
}

TEST(ClaimKey, NeedsAChainAndAToken)
{
    for (const char *accepted :
         {"null", "{}", "[]", "\"x\"", R"({"network":"eip155:84532"})",
          R"({"asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e"})",
          R"({"network":"solana",)"
          R"("asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e"})",
          R"({"network":"eip155:84532","asset":"0x036C"})",
          R"({"network":84532,)"
          R"("asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e"})"}) {
        EXPECT_EQ(key_of(accepted, sample_authorization()), std::nullopt)
            << accepted;
    }
}

TEST(ClaimKey, DiffersBetweenAllPaymentsOfTheOfficialClient)
{
    JsonDocument document = read_vectors("evm-payments.json");
    JsonValue vectors = document.root()["vectors"];
    std::set<Digest> keys;
    for (std::size_t index = 0; index < vectors.size(); ++index) {
        JsonValue row = vectors.at(index);
        auto authorization = parse_eip3009_payload(row["decoded"]["payload"]);
        if (!authorization) {
            continue;
        }
        // The payment of version 1 names its network at the top.
        JsonValue accepted = row["decoded"]["accepted"].exists()
                                 ? row["decoded"]["accepted"]
                                 : row["paymentRequired"]["accepts"].at(0);
        auto key = key_of(accepted, *authorization);
        ASSERT_TRUE(key) << row["name"].string();
        EXPECT_TRUE(keys.insert(*key).second) << row["name"].string();
    }
    EXPECT_EQ(keys.size(), 7u);
}

// The zone and its journal outlive a worker and a release.
TEST(ClaimKey, NeverChangesBetweenReleases)
{
    std::optional<Digest> key = key_of(kAccepted, sample_authorization());
    ASSERT_TRUE(key);
    std::string parts = "eip3009";
    parts += std::string("\0\0\0\0\0\x01\x4a\x34", 8);
    parts += "\x03\x6c\xbd\x53\x84\x2c\x54\x26\x63\x4e\x79\x29\x54\x1e\xc2\x31"
             "\x8f\x3d\xcf\x7e";
    parts += std::string(20, '\x11') + std::string(32, '\x33');
    EXPECT_EQ(*key, sha256(parts));
}

PaymentRequirements terms_of(const char *scheme, const char *network,
                             const char *asset, const char *pay_to)
{
    PaymentRequirements terms;
    terms.scheme = scheme;
    terms.network = network;
    terms.asset = asset;
    terms.pay_to = pay_to;
    return terms;
}

TEST(TermsDigest, IsSchemeNetworkAssetAndReceiverInAnySpelling)
{
    constexpr const char *kToken = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
    constexpr const char *kLower = "0x036cbd53842c5426634e7929541ec2318f3dcf7e";
    constexpr const char *kOther = "0x036CbD53842c5426634e7929541eC2318f3dCF7f";
    Digest terms =
        terms_digest(terms_of("exact", "eip155:84532", kToken, kOther));
    EXPECT_EQ(terms_digest(terms_of("exact", "base-sepolia", kLower, kOther)),
              terms);
    std::set<Digest> digests = {terms};
    for (const auto &[scheme, network, asset, pay_to] :
         std::vector<std::array<const char *, 4>>{
             {"upto", "eip155:84532", kToken, kOther},
             {"exact", "eip155:8453", kToken, kOther},
             {"exact", "eip155:84532", kOther, kOther},
             {"exact", "eip155:84532", kToken, kToken},
             {"exact", "eip155:84532", kOther, kToken},
             {"exact", "solana", "A", "b"},
             {"exact", "solana", "a", "b"},
             {"exact", "solana", "Ab", ""},
         }) {
        digests.insert(terms_digest(terms_of(scheme, network, asset, pay_to)));
    }
    EXPECT_EQ(digests.size(), 9u);
}

TEST(TermsDigest, LeavesOutWhatIsComparedByValue)
{
    PaymentRequirements terms = terms_of("exact", "solana", "A", "b");
    Digest before = terms_digest(terms);
    terms.amount = "5";
    terms.max_timeout_seconds = 1;
    EXPECT_EQ(terms_digest(terms), before);
}

ResourceParts resource_parts(const char *server, unsigned port,
                             const char *method, const char *host,
                             const char *uri, const char *body)
{
    ResourceParts parts;
    parts.server = server;
    parts.port = port;
    parts.method = method;
    parts.host = host;
    parts.request_uri = uri;
    parts.body = body;
    return parts;
}

TEST(ResourceDigest, SeparatesItsParts)
{
    const std::vector<ResourceParts> resources = {
        resource_parts("s", 80, "GET", "a.example", "/x", ""),
        resource_parts("", 80, "GET", "a.example", "/x", ""),
        resource_parts("s", 81, "GET", "a.example", "/x", ""),
        resource_parts("s", 80, "GET", "a.example", "/X", ""),
        resource_parts("s", 80, "POST", "a.example", "/x", ""),
        resource_parts("s", 80, "GET", "b.example", "/x", ""),
        resource_parts("s", 80, "GETa", ".example", "/x", ""),
        resource_parts("s", 80, "GET", "a.example/", "x", ""),
        resource_parts("s", 80, "GET", "", "a.example/x", ""),
        resource_parts("s", 80, "GET", "a.example", "/x?", ""),
        resource_parts("s", 80, "GET", "a.example", "/", "x"),
        resource_parts("s", 80, "GET", "a.example", "/x", "digest"),
        resource_parts("", 0, "", "", "", ""),
    };
    std::set<Digest> digests;
    for (const ResourceParts &parts : resources) {
        digests.insert(resource_digest(parts));
    }
    EXPECT_EQ(digests.size(), resources.size());
    EXPECT_EQ(resource_digest(resources[0]), resource_digest(resources[0]));
}

}  // namespace
}  // namespace x402
