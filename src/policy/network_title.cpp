// SPDX-License-Identifier: Apache-2.0
#include "policy/network_title.hpp"

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

}  // namespace

std::string network_title(std::string_view caip2)
{
    std::string id = canonical_network(caip2);
    for (const Title &row : kTitles) {
        if (canonical_network(row.name) == id) {
            return std::string(row.title);
        }
    }
    return std::string(caip2);
}

}  // namespace x402
