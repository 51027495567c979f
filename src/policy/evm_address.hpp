// SPDX-License-Identifier: Apache-2.0
// EVM addresses: 20 bytes as 0x and 40 hex digits, checksum of EIP-55.
#ifndef X402_POLICY_EVM_ADDRESS_HPP
#define X402_POLICY_EVM_ADDRESS_HPP

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace x402 {

using EvmAddress = std::array<std::uint8_t, 20>;

std::optional<EvmAddress> parse_evm_address(std::string_view text);

// True if mixed-case letters have the right checksum, and for all-lower and
// all-upper letters, which have none. Precondition: parse_evm_address(text).
bool evm_checksum_ok(std::string_view text);

// With checksum letters.
std::string evm_checksum_text(const EvmAddress &address);

}  // namespace x402

#endif
