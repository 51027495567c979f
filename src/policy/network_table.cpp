// SPDX-License-Identifier: Apache-2.0
#include "policy/network_table.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "base/near_name.hpp"
#include "base/text_prefix.hpp"

namespace x402 {

namespace {

enum class Money { real, test };

struct Network {
    std::string_view alias;  // empty: known by its id only
    std::string_view caip2;
    Money money;
    bool is_v1_name = true;
};

constexpr std::string_view kAlgorandMainnet =
    "algorand:wGHE2Pwdvd7S12BL5FaOP20EGYesN73ktiC1qzkkit8=";
constexpr std::string_view kAlgorandTestnet =
    "algorand:SGO1GKSzyE7IEPItTxCByw9x8FmnrCDexi9/cOUJOiI=";

// First the names of x402 v1, then shorthands of the SDKs, then networks that
// only have an id. The first name of a network is the one that is sent in
// version 1, if any: clients of version 1 refuse an offer with an unknown name.
constexpr Network kNetworks[] = {
    {"base", "eip155:8453", Money::real},
    {"base-sepolia", "eip155:84532", Money::test},
    {"ethereum", "eip155:1", Money::real},
    {"sepolia", "eip155:11155111", Money::test},
    {"ethereum-sepolia", "eip155:11155111", Money::test, false},
    {"polygon", "eip155:137", Money::real},
    {"polygon-amoy", "eip155:80002", Money::test},
    {"avalanche", "eip155:43114", Money::real},
    {"avalanche-fuji", "eip155:43113", Money::test},
    {"celo", "eip155:42220", Money::real},
    {"sei", "eip155:1329", Money::real},
    {"sei-testnet", "eip155:1328", Money::test},
    {"monad", "eip155:143", Money::real},
    {"megaeth", "eip155:4326", Money::real},
    {"stable", "eip155:988", Money::real},
    {"stable-testnet", "eip155:2201", Money::test},
    {"flare", "eip155:14", Money::real},
    {"abstract", "eip155:2741", Money::real},
    {"abstract-testnet", "eip155:11124", Money::test},
    {"iotex", "eip155:4689", Money::real},
    {"peaq", "eip155:3338", Money::real},
    {"story", "eip155:1514", Money::real},
    {"educhain", "eip155:41923", Money::real},
    {"skale-base-sepolia", "eip155:324705682", Money::test},
    {"solana", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", Money::real},
    {"solana-devnet", "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", Money::test},
    {"solana-testnet", "solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z", Money::test},
    {"algorand-mainnet", kAlgorandMainnet, Money::real},
    {"algorand", kAlgorandMainnet, Money::real},
    {"algorand-testnet", kAlgorandTestnet, Money::test},
    {"arbitrum", "eip155:42161", Money::real, false},
    {"arbitrum-sepolia", "eip155:421614", Money::test, false},
    {"fast-mainnet", "fast:mainnet", Money::real},
    {"fast-testnet", "fast:testnet", Money::test},
    {"", "stellar:pubnet", Money::real},
    {"", "stellar:testnet", Money::test},
    {"", "aptos:1", Money::real},
    {"", "aptos:2", Money::test},
    {"", "hedera:mainnet", Money::real},
    {"", "hedera:testnet", Money::test},
    {"", "sui:mainnet", Money::real},
    {"", "sui:testnet", Money::test},
    {"", "xrpl:0", Money::real},
    {"", "xrpl:1", Money::test},
    {"", "xrpl:2", Money::test},
    {"", "near:mainnet", Money::real},
    {"", "near:testnet", Money::test},
    {"", "ccd:9dd9ca4d19e9393877d2c44b70f89acb", Money::real},
    {"", "ccd:4221332d34e1694168c2a0c0b3fd0f27", Money::test},
    {"", "tvm:-239", Money::real},
    {"", "tvm:-3", Money::test},
    {"", "tron:728126428", Money::real},
    {"", "tron:3448148188", Money::test},
    {"", "tron:2494104990", Money::test},
    {"", "cardano:mainnet", Money::real},
    {"", "cardano:preprod", Money::test},
    {"", "cardano:preview", Money::test},
    {"", "starknet:SN_MAIN", Money::real},
    {"", "starknet:SN_SEPOLIA", Money::test},
    {"", "casper:casper", Money::real},
    {"", "casper:casper-test", Money::test},
    {"", "keeta:21378", Money::real},
    {"", "keeta:1413829460", Money::test},
    {"", "eip155:50", Money::real},        // XDC
    {"", "eip155:51", Money::test},        // XDC Apothem
    {"", "eip155:31612", Money::real},     // Mezo
    {"", "eip155:31611", Money::test},     // Mezo testnet
    {"", "eip155:36900", Money::real},     // ADI
    {"", "eip155:38833", Money::real},     // Igra
    {"", "eip155:72344", Money::test},     // Radius testnet
    {"", "eip155:723487", Money::real},    // Radius
    {"", "eip155:181228", Money::test},    // HPP Sepolia
    {"", "eip155:190415", Money::real},    // HPP
    {"", "eip155:11142220", Money::test},  // Celo Sepolia
};

constexpr std::string_view kEip155 = "eip155:";

// Algorand and Solana ids exist in two lengths: the whole genesis hash, and its
// first 32 characters, which are all that CAIP-2 has room for.
std::string_view without_rest_of_hash(std::string_view id)
{
    constexpr std::size_t kReferenceLength = 32;
    for (std::string_view family : {"algorand:", "solana:"}) {
        if (id.substr(0, family.size()) == family) {
            return id.substr(0, family.size() + kReferenceLength);
        }
    }
    return id;
}

// Whether a row has this canonical id. Most rows differ in its first bytes.
bool has_id(const Network &network, std::string_view canonical)
{
    return starts_with(network.caip2, canonical)
           && without_rest_of_hash(network.caip2) == canonical;
}

bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

bool is_lower(char character)
{
    return character >= 'a' && character <= 'z';
}

bool is_upper(char character)
{
    return character >= 'A' && character <= 'Z';
}

// CAIP-2, widened by the characters and the length that the genesis hashes of
// Algorand need.
bool has_caip2_form(std::string_view text)
{
    std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon < 3 || colon > 8) {
        return false;
    }
    std::string_view family = text.substr(0, colon);
    std::string_view reference = text.substr(colon + 1);
    auto in_family = [](char character) {
        return is_lower(character) || is_digit(character) || character == '-';
    };
    auto in_reference = [](char character) {
        return is_lower(character) || is_upper(character) || is_digit(character)
               || std::string_view("-_+/=").find(character)
                      != std::string_view::npos;
    };
    return !reference.empty() && reference.size() <= 64
           && std::all_of(family.begin(), family.end(), in_family)
           && std::all_of(reference.begin(), reference.end(), in_reference);
}

// The spelling without the zeros that lead an eip155 number.
std::string_view strip_leading_zeros(std::string_view digits)
{
    std::size_t first = digits.find_first_not_of('0');
    return first == std::string_view::npos ? "0" : digits.substr(first);
}

bool is_eip155_number(std::string_view id)
{
    return id.size() > kEip155.size() && starts_with(id, kEip155)
           && std::all_of(id.begin() + kEip155.size(), id.end(), is_digit);
}

std::string canonical_eip155(std::string_view id)
{
    std::string_view digits = id.substr(kEip155.size());
    if (digits.front() != '0') {
        return std::string(id);
    }
    std::string canonical(kEip155);
    canonical.append(strip_leading_zeros(digits));
    return canonical;
}

}  // namespace

std::optional<std::string> caip2_network(std::string_view name)
{
    // No alias has a colon.
    if (has_caip2_form(name)) {
        return std::string(name);
    }
    for (const Network &network : kNetworks) {
        if (!name.empty() && network.alias == name) {
            return std::string(network.caip2);
        }
    }
    return std::nullopt;
}

std::string canonical_network(std::string_view name)
{
    // No alias has a colon. Most networks are of this kind, and a payment asks
    // several times.
    if (is_eip155_number(name)) {
        return canonical_eip155(name);
    }
    std::string id = caip2_network(name).value_or(std::string(name));
    if (starts_with(id, kEip155)) {
        return is_eip155_number(id) ? canonical_eip155(id) : id;
    }
    id.resize(without_rest_of_hash(id).size());
    return id;
}

std::optional<std::string> v1_network_name(std::string_view caip2)
{
    std::string wanted = canonical_network(caip2);
    for (const Network &network : kNetworks) {
        if (!network.alias.empty() && network.is_v1_name
            && has_id(network, wanted)) {
            return std::string(network.alias);
        }
    }
    return std::nullopt;
}

std::optional<std::uint64_t> eip155_chain_id(std::string_view caip2)
{
    constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();

    if (!starts_with(caip2, kEip155)) {
        return std::nullopt;
    }
    std::string_view digits = caip2.substr(kEip155.size());
    if (digits.empty() || (digits.front() == '0' && digits.size() > 1)) {
        return std::nullopt;
    }
    std::uint64_t chain_id = 0;
    for (char digit : digits) {
        if (!is_digit(digit)) {
            return std::nullopt;
        }
        auto value = static_cast<std::uint64_t>(digit - '0');
        if (chain_id > (kLargest - value) / 10) {
            return std::nullopt;
        }
        chain_id = chain_id * 10 + value;
    }
    return chain_id;
}

std::optional<bool> is_testnet(std::string_view caip2)
{
    std::string wanted = canonical_network(caip2);
    for (const Network &network : kNetworks) {
        if (has_id(network, wanted)) {
            return network.money == Money::test;
        }
    }
    return std::nullopt;
}

std::string known_network_names()
{
    std::string names;
    for (const Network &network : kNetworks) {
        if (!network.alias.empty()) {
            names.append(names.empty() ? "" : ", ");
            names.append(network.alias);
        }
    }
    return names;
}

std::string near_network_question(std::string_view name)
{
    NearName near(name);
    for (const Network &network : kNetworks) {
        near.try_name(network.alias);
    }
    return near.question();
}

}  // namespace x402
