// SPDX-License-Identifier: Apache-2.0
#include "policy/network_table.hpp"

#include <gtest/gtest.h>

#include "policy/asset_table.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

constexpr const char *kLongAlgorand =
    "algorand:wGHE2Pwdvd7S12BL5FaOP20EGYesN73ktiC1qzkkit8=";
constexpr const char *kShortAlgorand =
    "algorand:wGHE2Pwdvd7S12BL5FaOP20EGYesN73k";

TEST(NetworkTable, KnowsEveryNameOfVersionOne)
{
    JsonDocument document = read_vectors("default-assets.json");
    auto names = document.root()["v1NetworkToCaip2"].members();
    EXPECT_EQ(names.size(), 26u);
    for (const auto &[name, caip2] : names) {
        EXPECT_EQ(caip2_network(name), std::string(caip2.string())) << name;
        EXPECT_EQ(canonical_network(name), caip2.string()) << name;
        EXPECT_TRUE(is_testnet(caip2.string()).has_value()) << name;
        EXPECT_EQ(v1_network_name(caip2.string()), std::string(name));
        EXPECT_EQ(v1_network_name(name), std::string(name));
    }
}

TEST(NetworkTable, KnowsTheShorthandsOfTheSdks)
{
    EXPECT_EQ(caip2_network("arbitrum"), "eip155:42161");
    EXPECT_EQ(caip2_network("arbitrum-sepolia"), "eip155:421614");
    EXPECT_EQ(caip2_network("solana"),
              "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp");
    EXPECT_EQ(caip2_network("algorand"), kLongAlgorand);
    EXPECT_EQ(caip2_network("algorand-mainnet"), kLongAlgorand);
    EXPECT_EQ(caip2_network("algorand-testnet"),
              "algorand:SGO1GKSzyE7IEPItTxCByw9x8FmnrCDexi9/cOUJOiI=");
}

TEST(NetworkTable, NamesNetworksInVersionOne)
{
    EXPECT_EQ(v1_network_name(kLongAlgorand), "algorand-mainnet");
    EXPECT_EQ(v1_network_name(kShortAlgorand), "algorand-mainnet");
    EXPECT_EQ(v1_network_name("eip155:11155111"), "sepolia");
    EXPECT_EQ(caip2_network("ethereum-sepolia"), "eip155:11155111");
    for (const char *network : {"mainnet", "testnet"}) {
        std::string name = std::string("fast-") + network;
        std::string id = std::string("fast:") + network;
        EXPECT_EQ(caip2_network(name), id);
        EXPECT_EQ(v1_network_name(id), name);
        EXPECT_EQ(is_testnet(id), name == "fast-testnet");
    }
    for (const char *id :
         {"", "foo", "eip155:31337", "eip155:50", "stellar:pubnet",
          "eip155:42161", "arbitrum-sepolia"}) {
        EXPECT_EQ(v1_network_name(id), std::nullopt) << id;
    }
}

TEST(NetworkTable, ReturnsIdsByteForByte)
{
    for (const char *id :
         {"eip155:8453", "eip155:08453", "eip155:0x2105", "eip155:1337",
          "cosmos:cosmoshub-3", "hedera:mainnet", "a-b:_", kLongAlgorand,
          kShortAlgorand}) {
        EXPECT_EQ(caip2_network(id), id);
    }
}

TEST(NetworkTable, RefusesOtherTexts)
{
    const std::string longest = "abc:" + std::string(64, 'x');
    EXPECT_TRUE(caip2_network(longest));
    EXPECT_FALSE(caip2_network(longest + "x"));
    for (const char *text :
         {"", ":", "foo", "Base", "EIP155:8453", "eip155:", "eip155", ":1",
          "ab:1", "abcdefghi:1", "eip155:84 53", "eip155:84:53", "eip155:*",
          "eip155:8453\n", "base ", "eip155:\xc3\xa9"}) {
        EXPECT_FALSE(caip2_network(text)) << text;
    }
}

TEST(NetworkTable, MapsAllSpellingsToOne)
{
    EXPECT_EQ(canonical_network("base"), "eip155:8453");
    EXPECT_EQ(canonical_network("eip155:8453"), "eip155:8453");
    EXPECT_EQ(canonical_network("eip155:0008453"), "eip155:8453");
    EXPECT_EQ(canonical_network("eip155:0"), "eip155:0");
    EXPECT_EQ(canonical_network("eip155:00"), "eip155:0");
    for (const char *name :
         {"algorand", "algorand-mainnet", kLongAlgorand, kShortAlgorand}) {
        EXPECT_EQ(canonical_network(name), kShortAlgorand) << name;
    }
    EXPECT_EQ(canonical_network("algorand-testnet"),
              "algorand:SGO1GKSzyE7IEPItTxCByw9x8FmnrCDe");
    EXPECT_EQ(
        canonical_network("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw"
                          "2N9d"),
        canonical_network("solana"));
    for (const char *unknown :
         {"", "foo", "eip155:", "eip155:0x2105", "EIP155:8453", "x:08"}) {
        EXPECT_EQ(canonical_network(unknown), unknown);
    }
}

TEST(NetworkTable, ReadsChainIds)
{
    EXPECT_EQ(eip155_chain_id("eip155:1"), 1u);
    EXPECT_EQ(eip155_chain_id("eip155:324705682"), 324705682u);
    EXPECT_EQ(eip155_chain_id("eip155:0"), 0u);
    EXPECT_EQ(eip155_chain_id("eip155:9223372036854775807"),
              9223372036854775807u);
    for (const char *text :
         {"", "eip155:", "eip155:01", "eip155:0x1", "eip155:-1", "eip155:1 ",
          "eip155:9223372036854775808", "eip155:99999999999999999999999",
          "eip155", "solana:1", "base", "EIP155:1"}) {
        EXPECT_EQ(eip155_chain_id(text), std::nullopt) << text;
    }
}

TEST(NetworkTable, TellsTestnetsWhereItCan)
{
    EXPECT_EQ(is_testnet("eip155:8453"), false);
    EXPECT_EQ(is_testnet("eip155:84532"), true);
    EXPECT_EQ(is_testnet("base-sepolia"), true);
    EXPECT_EQ(is_testnet(kShortAlgorand), false);
    EXPECT_EQ(is_testnet(kLongAlgorand), false);
    EXPECT_EQ(is_testnet("solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1"), true);
    EXPECT_EQ(is_testnet("eip155:31337"), std::nullopt);
    EXPECT_EQ(is_testnet(""), std::nullopt);
    for (const Asset &asset : known_assets()) {
        EXPECT_TRUE(is_testnet(asset.network).has_value()) << asset.network;
    }
}

TEST(NetworkTable, ListsNamesForErrorMessages)
{
    std::string names = known_network_names();
    EXPECT_EQ(names.substr(0, 20), "base, base-sepolia, ");
    EXPECT_NE(names.find("arbitrum-sepolia"), std::string::npos);
    EXPECT_EQ(names.find(", ,"), std::string::npos);
    EXPECT_NE(names.back(), ' ');
}

}  // namespace
}  // namespace x402
