// SPDX-License-Identifier: Apache-2.0
#include "base/hex_codec.hpp"

#include <array>

namespace x402 {

namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

// Has bits that no digit has, so that many can be collected and checked at
// once.
constexpr std::uint8_t kNoDigit = 0xff;

constexpr std::array<std::uint8_t, 256> make_digit_values()
{
    std::array<std::uint8_t, 256> values{};
    for (std::size_t index = 0; index < values.size(); ++index) {
        values[index] = kNoDigit;
    }
    for (std::uint8_t value = 0; value < 16; ++value) {
        char digit = kDigits[value];
        values[static_cast<unsigned char>(digit)] = value;
        if (value >= 10) {
            values[static_cast<unsigned char>(digit - 'a' + 'A')] = value;
        }
    }
    return values;
}

constexpr std::array<std::uint8_t, 256> kDigitValues = make_digit_values();

unsigned digit_value(char digit)
{
    return kDigitValues[static_cast<unsigned char>(digit)];
}

}  // namespace

std::string hex_encode(const std::uint8_t *bytes, std::size_t count)
{
    std::string text;
    text.reserve(count * 2);
    for (std::size_t index = 0; index < count; ++index) {
        text.push_back(kDigits[bytes[index] >> 4]);
        text.push_back(kDigits[bytes[index] & 0x0f]);
    }
    return text;
}

bool is_hex_bytes(std::string_view text)
{
    if (text.size() < 4 || text.size() % 2 != 0 || text[0] != '0'
        || text[1] != 'x') {
        return false;
    }
    unsigned seen = 0;
    for (char digit : text.substr(2)) {
        seen |= digit_value(digit);
    }
    return seen < 16;
}

bool hex_decode(std::string_view text, std::uint8_t *out, std::size_t count)
{
    if (text.size() != 2 + count * 2 || !is_hex_bytes(text)) {
        return false;
    }
    text.remove_prefix(2);
    for (std::size_t index = 0; index < count; ++index) {
        unsigned high = digit_value(text[index * 2]);
        unsigned low = digit_value(text[index * 2 + 1]);
        out[index] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return true;
}

}  // namespace x402
