// SPDX-License-Identifier: Apache-2.0
#include "policy/evm_address.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "base/hex_codec.hpp"
#include "base/keccak256_digest.hpp"

namespace x402 {

namespace {

bool is_lower_hex_letter(char character)
{
    return character >= 'a' && character <= 'f';
}

bool is_upper_hex_letter(char character)
{
    return character >= 'A' && character <= 'F';
}

// A digest costs 37,000 instructions, and the same few addresses are asked
// about again and again: those of a configuration with many locations, or of
// offers with variables.
class KnownAddresses {
public:
    bool contain(std::string_view text) const
    {
        return std::find(known_.begin(), known_.end(), text) != known_.end();
    }
    void add(std::string_view text)
    {
        known_[next_] = text;
        next_ = (next_ + 1) % known_.size();
    }

private:
    std::array<std::string, 8> known_;
    std::size_t next_ = 0;
};

}  // namespace

std::optional<EvmAddress> parse_evm_address(std::string_view text)
{
    return hex_decode<std::tuple_size<EvmAddress>::value>(text);
}

bool evm_checksum_ok(std::string_view text)
{
    static thread_local KnownAddresses correct;
    bool has_lower = false;
    bool has_upper = false;
    for (char character : text.substr(2)) {
        has_lower = has_lower || is_lower_hex_letter(character);
        has_upper = has_upper || is_upper_hex_letter(character);
    }
    if (!has_lower || !has_upper) {
        return true;
    }
    if (correct.contain(text)) {
        return true;
    }
    std::optional<EvmAddress> address = parse_evm_address(text);
    if (!address || evm_checksum_text(*address) != text) {
        return false;
    }
    correct.add(text);
    return true;
}

// EIP-55: a letter is upper-case where the digest of the lower-case digits has
// a hex digit of 8 or more.
std::string evm_checksum_text(const EvmAddress &address)
{
    std::string digits = hex_encode(address.data(), address.size());
    std::array<std::uint8_t, 32> digest = keccak256(digits);
    for (std::size_t index = 0; index < digits.size(); ++index) {
        unsigned shift = index % 2 == 0 ? 4 : 0;
        unsigned nibble = (digest[index / 2] >> shift) & 0x0fu;
        if (nibble >= 8 && is_lower_hex_letter(digits[index])) {
            digits[index] = static_cast<char>(digits[index] - 'a' + 'A');
        }
    }
    return "0x" + digits;
}

}  // namespace x402
