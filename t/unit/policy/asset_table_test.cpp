// SPDX-License-Identifier: Apache-2.0
#include "policy/asset_table.hpp"

#include <cstddef>
#include <string>

#include <gtest/gtest.h>

#include "policy/evm_address.hpp"
#include "policy/network_address.hpp"
#include "policy/network_table.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

TransferMethod method_of(JsonValue row)
{
    if (row["assetTransferMethod"].string() != "permit2") {
        return TransferMethod::eip3009;
    }
    return row["supportsEip2612"].is_true()
               ? TransferMethod::permit2_with_eip2612
               : TransferMethod::permit2;
}

void expect_same(const Asset &asset, std::string_view network, JsonValue row)
{
    SCOPED_TRACE(std::string(network) + " "
                 + std::string(row["symbol"].string()));
    EXPECT_EQ(asset.network, network);
    EXPECT_EQ(asset.symbol, row["symbol"].string());
    EXPECT_EQ(asset.address, row["asset"].string());
    EXPECT_EQ(asset.decimals, row["decimals"].integer());
    EXPECT_EQ(asset.eip712_name, row["name"].string());
    EXPECT_EQ(asset.eip712_version, row["version"].string());
    EXPECT_EQ(asset.method, method_of(row));
}

// Then what has no domain: the reference's rows, and those it has no vectors
// for.
void expect_other_families(const Asset *next, JsonValue tables)
{
    std::size_t rows = 0;
    for (const char *family : {"svm", "avm"}) {
        for (const auto &[network, assets] : tables[family].members()) {
            for (std::size_t index = 0; index < assets.size(); ++index) {
                ASSERT_NE(next, known_assets().end());
                JsonValue row = assets.at(index);
                EXPECT_EQ(next->network, network);
                EXPECT_EQ(next->symbol, row["symbol"].string());
                EXPECT_EQ(next->address, row["asset"].string());
                EXPECT_EQ(next->decimals, row["decimals"].integer());
                EXPECT_EQ(next->method, TransferMethod::plain);
                ++next;
                ++rows;
            }
        }
    }
    EXPECT_EQ(rows, 13u);
    for (const char *network :
         {"stellar:pubnet", "stellar:testnet", "aptos:1", "aptos:2",
          "fast:testnet", "fast:mainnet", "tvm:-239", "tvm:-3",
          "cardano:mainnet", "cardano:preprod", "starknet:SN_MAIN",
          "starknet:SN_SEPOLIA", "casper:casper", "casper:casper-test",
          "keeta:21378", "keeta:1413829460"}) {
        ASSERT_NE(next, known_assets().end());
        EXPECT_EQ(next->network, network);
        EXPECT_EQ(next->decimals, next->network.find("stellar") == 0 ? 7u : 6u);
        EXPECT_EQ(next->method, TransferMethod::plain);
        ++next;
    }
    EXPECT_EQ(next, known_assets().end());
}

TEST(AssetTable, EqualsTheReferencesTableRowByRow)
{
    JsonDocument document = read_vectors("default-assets.json");
    const Asset *next = known_assets().begin();
    std::size_t rows = 0;
    for (const auto &[network, assets] :
         document.root()["v2"]["evm"].members()) {
        for (std::size_t index = 0; index < assets.size(); ++index) {
            ASSERT_NE(next, known_assets().end());
            expect_same(*next, network, assets.at(index));
            ++next;
            ++rows;
        }
    }
    EXPECT_EQ(rows, 28u);

    // Behind them stand the two that only the package of version 1 has.
    for (const char *chain_id : {"43113", "80002"}) {
        ASSERT_NE(next, known_assets().end());
        JsonValue usdc = document.root()["v1PackageUsdcByChainId"][chain_id];
        EXPECT_EQ(next->network, "eip155:" + std::string(chain_id));
        EXPECT_EQ(next->symbol, "USDC");
        EXPECT_EQ(next->address, usdc["usdcAddress"].string());
        EXPECT_EQ(next->eip712_name, usdc["usdcName"].string());
        EXPECT_EQ(next->eip712_version, "2");
        EXPECT_EQ(next->decimals, 6u);
        EXPECT_EQ(next->method, TransferMethod::eip3009);
        ++next;
    }
    expect_other_families(next, document.root()["v2"]);
}

TEST(AssetTable, HasAddressesWithRightChecksums)
{
    for (const Asset &asset : known_assets()) {
        EXPECT_EQ(asset_fault(asset.network, asset.address), "")
            << asset.network << " " << asset.address;
        EXPECT_EQ(canonical_network(asset.network), asset.network);
        auto address = parse_evm_address(asset.address);
        if (asset.method == TransferMethod::plain) {
            EXPECT_FALSE(address);
            continue;
        }
        ASSERT_TRUE(address) << asset.address;
        EXPECT_EQ(evm_checksum_text(*address), asset.address);
        EXPECT_TRUE(eip155_chain_id(asset.network)) << asset.network;
    }
}

TEST(AssetTable, DefaultIsTheFirstOfItsNetwork)
{
    ASSERT_NE(default_asset("eip155:42220"), nullptr);
    EXPECT_EQ(default_asset("eip155:42220")->symbol, "USDC");
    EXPECT_EQ(default_asset("eip155:4326")->symbol, "MegaUSD");
    EXPECT_EQ(default_asset("eip155:10"), nullptr);
    EXPECT_EQ(default_asset("eip155:08453"), nullptr);
    EXPECT_EQ(default_asset("base"), nullptr);
    EXPECT_EQ(default_asset(""), nullptr);
}

TEST(AssetTable, FindsByTickerAndAddressInAnyLetterCase)
{
    const Asset *usdt = find_asset_by_symbol("eip155:42220", "usdt");
    ASSERT_NE(usdt, nullptr);
    EXPECT_EQ(usdt->symbol, "USDT");
    EXPECT_EQ(usdt, find_asset_by_address(
                        "eip155:42220",
                        "0x48065FBBE25F71C9282DDF5E1CD6D6A887483D5E"));
    EXPECT_EQ(find_asset_by_symbol("eip155:36900", "usdc.E"),
              default_asset("eip155:36900"));

    const char *solana = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp";
    const Asset *usdc = find_asset_by_symbol(solana, "usdc");
    ASSERT_NE(usdc, nullptr);
    std::string address(usdc->address);
    EXPECT_EQ(find_asset_by_address(solana, address), usdc);
    address[0] = 'e';  // base58 means something else by it
    EXPECT_EQ(find_asset_by_address(solana, address), nullptr);

    EXPECT_EQ(find_asset_by_symbol("eip155:84532", "USDT"), nullptr);
    EXPECT_EQ(find_asset_by_symbol("eip155:84532", "USD"), nullptr);
    EXPECT_EQ(find_asset_by_symbol("eip155:84532", ""), nullptr);
    EXPECT_EQ(find_asset_by_address(
                  "eip155:8453", "0x48065fbBE25f71C9282ddf5e1cD6D6A887483D5e"),
              nullptr);
}

}  // namespace
}  // namespace x402
