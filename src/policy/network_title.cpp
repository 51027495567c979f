// SPDX-License-Identifier: Apache-2.0
#include "policy/network_title.hpp"

#include <unordered_map>

#include "policy/network_table.hpp"

namespace x402 {

namespace {

struct Title {
    std::string_view name;  // any name of network_table, or the id
    std::string_view title;
};

constexpr Title kTitles[] = {
    {"base", "Base"},
    {"base-sepolia", "Base Sepolia"},
    {"ethereum", "Ethereum"},
    {"sepolia", "Sepolia"},
    {"polygon", "Polygon"},
    {"polygon-amoy", "Polygon Amoy"},
    {"avalanche", "Avalanche"},
    {"avalanche-fuji", "Avalanche Fuji"},
    {"arbitrum", "Arbitrum"},
    {"arbitrum-sepolia", "Arbitrum Sepolia"},
    {"celo", "Celo"},
    {"eip155:11142220", "Celo Sepolia"},
    {"sei", "Sei"},
    {"sei-testnet", "Sei Testnet"},
    {"monad", "Monad"},
    {"megaeth", "MegaETH"},
    {"stable", "Stable"},
    {"stable-testnet", "Stable Testnet"},
    {"flare", "Flare"},
    {"abstract", "Abstract"},
    {"abstract-testnet", "Abstract Testnet"},
    {"iotex", "IoTeX"},
    {"peaq", "peaq"},
    {"story", "Story"},
    {"educhain", "EDU Chain"},
    {"skale-base-sepolia", "SKALE Base Sepolia"},
    {"solana", "Solana"},
    {"solana-devnet", "Solana Devnet"},
    {"solana-testnet", "Solana Testnet"},
    {"algorand", "Algorand"},
    {"algorand-testnet", "Algorand Testnet"},
    {"stellar:pubnet", "Stellar"},
    {"stellar:testnet", "Stellar Testnet"},
    {"aptos:1", "Aptos"},
    {"aptos:2", "Aptos Testnet"},
    {"hedera:mainnet", "Hedera"},
    {"hedera:testnet", "Hedera Testnet"},
    {"xrpl:0", "XRPL"},
    {"xrpl:1", "XRPL Testnet"},
    {"xrpl:2", "XRPL Devnet"},
    {"near:mainnet", "NEAR"},
    {"near:testnet", "NEAR Testnet"},
    {"ccd:9dd9ca4d19e9393877d2c44b70f89acb", "Concordium"},
    {"ccd:4221332d34e1694168c2a0c0b3fd0f27", "Concordium Testnet"},
    {"tvm:-239", "TON"},
    {"tvm:-3", "TON Testnet"},
    {"tron:728126428", "TRON"},
    {"tron:3448148188", "TRON Nile"},
    {"tron:2494104990", "TRON Shasta"},
    {"cardano:mainnet", "Cardano"},
    {"cardano:preprod", "Cardano Preprod"},
    {"cardano:preview", "Cardano Preview"},
    {"starknet:SN_MAIN", "Starknet"},
    {"starknet:SN_SEPOLIA", "Starknet Sepolia"},
    {"casper:casper", "Casper"},
    {"casper:casper-test", "Casper Testnet"},
    {"keeta:21378", "Keeta"},
    {"keeta:1413829460", "Keeta Testnet"},
    {"eip155:10", "OP Mainnet"},
    {"eip155:50", "XDC Network"},
    {"eip155:51", "XDC Apothem"},
    {"eip155:31612", "Mezo"},
    {"eip155:31611", "Mezo Testnet"},
    {"eip155:36900", "ADI"},
    {"eip155:38833", "Igra"},
    {"eip155:72344", "Radius Testnet"},
    {"eip155:723487", "Radius"},
    {"eip155:181228", "HPP Sepolia"},
    {"eip155:190415", "HPP"},
};

// By canonical id. Made once: a large configuration asks for many.
std::unordered_map<std::string, std::string_view> titles_by_id()
{
    std::unordered_map<std::string, std::string_view> titles;
    for (const Title &row : kTitles) {
        titles.emplace(canonical_network(row.name), row.title);
    }
    return titles;
}

}  // namespace

std::string network_title(std::string_view caip2)
{
    static const auto titles = titles_by_id();

    auto at = titles.find(canonical_network(caip2));
    return std::string(at == titles.end() ? caip2 : at->second);
}

}  // namespace x402
