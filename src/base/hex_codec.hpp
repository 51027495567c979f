// SPDX-License-Identifier: Apache-2.0
// Bytes as hexadecimal text.
#ifndef X402_BASE_HEX_CODEC_HPP
#define X402_BASE_HEX_CODEC_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace x402 {

std::string hex_encode(const std::uint8_t *bytes, std::size_t count);
// `out` has room for two digits of each byte.
void hex_encode(const std::uint8_t *bytes, std::size_t count, char *out);

// True for '0x' and an even, non-zero number of hex digits of either case.
bool is_hex_bytes(std::string_view text);

// Fills `out` from '0x' and exactly 2 x count hex digits of either case; false
// (out untouched) for anything else. An upper-case '0X' is refused.
bool hex_decode(std::string_view text, std::uint8_t *out, std::size_t count);

template <std::size_t N>
std::optional<std::array<std::uint8_t, N>> hex_decode(std::string_view text)
{
    std::array<std::uint8_t, N> bytes;
    if (!hex_decode(text, bytes.data(), N)) {
        return std::nullopt;
    }
    return bytes;
}

}  // namespace x402

#endif
