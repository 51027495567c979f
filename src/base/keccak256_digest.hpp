// SPDX-License-Identifier: Apache-2.0
// Keccak-256 as Ethereum uses it (padding 0x01, not SHA-3's 0x06). OpenSSL has
// it from 3.2 only. Used for address checksums (EIP-55) and for what wallets
// sign (EIP-712).
#ifndef X402_BASE_KECCAK256_DIGEST_HPP
#define X402_BASE_KECCAK256_DIGEST_HPP

#include <array>
#include <cstdint>
#include <string_view>

namespace x402 {

std::array<std::uint8_t, 32> keccak256(std::string_view bytes);

}  // namespace x402

#endif
