// SPDX-License-Identifier: Apache-2.0
// The encodings and checksums of addresses on the supported chains.
#ifndef X402_BASE_ADDRESS_CODEC_HPP
#define X402_BASE_ADDRESS_CODEC_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace x402 {

// Base58 with Bitcoin's alphabet, as Solana uses it, without a checksum.
// nullopt: another character, an empty text, more than 128 characters.
std::optional<std::string> base58_decode(std::string_view text);

// RFC 4648 section 6, upper-case, without padding. nullopt: another character,
// a length that no byte string has, remaining bits that are not zero.
std::optional<std::string> base32_decode(std::string_view text);

// CRC-16/XMODEM.
std::uint16_t crc16_xmodem(std::string_view bytes);

// BIP 350: `<prefix>1<data>` in one letter case with the right checksum.
bool bech32m_ok(std::string_view text, std::string_view prefix);

// BIP 173, without its limit of 90 characters: the bytes of `<prefix>1<data>`.
// nullopt: another prefix, both letter cases, a wrong checksum, remaining bits
// that are not zero.
std::optional<std::string> bech32_decode(std::string_view text,
                                         std::string_view prefix);

}  // namespace x402

#endif
