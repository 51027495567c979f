// SPDX-License-Identifier: Apache-2.0
// The table of known networks: CAIP-2 ids, aliases for operators, v1 names.
#ifndef X402_POLICY_NETWORK_TABLE_HPP
#define X402_POLICY_NETWORK_TABLE_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace x402 {

// The CAIP-2 id of an alias or v1 name; a text of CAIP-2 form
// (`[-a-z0-9]{3,8}:[-_a-zA-Z0-9+/=]{1,64}`) is returned unchanged; nullopt for
// anything else.
std::optional<std::string> caip2_network(std::string_view name);

// One canonical id for all spellings of a network (aliases, v1 names, long
// Algorand and Solana ids, leading zeros of an eip155 number); an unknown
// network is returned unchanged. Claims and assets are keyed by it.
std::string canonical_network(std::string_view name);

// The name of a network in version 1, by any spelling of its id: that of the
// official packages, or for Algorand and Fast that of their packages
// (`fast-testnet`); nullopt: none.
std::optional<std::string> v1_network_name(std::string_view caip2);

// The chain id of `eip155:<n>`; nullopt for other families and for numbers that
// are not plain decimals below 2^63.
std::optional<std::uint64_t> eip155_chain_id(std::string_view caip2);

// True if the network is known to carry test money only; nullopt: unknown.
std::optional<bool> is_testnet(std::string_view caip2);

// Comma-separated names for error messages.
std::string known_network_names();

// "; did you mean \"base-sepolia\"?" where a known name is near; else empty.
std::string near_network_question(std::string_view name);

}  // namespace x402

#endif
