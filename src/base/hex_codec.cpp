// SPDX-License-Identifier: Apache-2.0
#include "base/hex_codec.hpp"

#include <algorithm>
#include <array>
#include <cstring>

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

// Both digits of each byte.
constexpr std::array<char, 512> make_digit_pairs()
{
    std::array<char, 512> pairs{};
    for (std::size_t byte = 0; byte < 256; ++byte) {
        pairs[2 * byte] = kDigits[byte >> 4];
        pairs[2 * byte + 1] = kDigits[byte & 0x0f];
    }
    return pairs;
}

constexpr std::array<char, 512> kDigitPairs = make_digit_pairs();

unsigned digit_value(char digit)
{
    return kDigitValues[static_cast<unsigned char>(digit)];
}

}  // namespace

void hex_encode(const std::uint8_t *bytes, std::size_t count, char *out)
{
    for (std::size_t index = 0; index < count; ++index, out += 2) {
        std::memcpy(out, &kDigitPairs[2 * bytes[index]], 2);
    }
}

std::string hex_encode(const std::uint8_t *bytes, std::size_t count)
{
    std::string text(count * 2, '\0');
    hex_encode(bytes, count, text.data());
    return text;
}

bool is_hex_bytes(std::string_view text)
{
    if (text.size() < 4 || text.size() % 2 != 0 || text[0] != '0'
        || text[1] != 'x') {
        return false;
    }
    unsigned seen = 0;
    const char *end = text.data() + text.size();
    for (const char *at = text.data() + 2; at != end; at += 2) {
        seen |= digit_value(at[0]) | digit_value(at[1]);
    }
    return seen < 16;
}

// False: not all are digits, and `out` holds nothing of use.
static bool decode_digits(const char *in, std::uint8_t *out, std::size_t count)
{
    unsigned seen = 0;
    for (std::uint8_t *end = out + count; out != end; ++out, in += 2) {
        unsigned high = digit_value(in[0]);
        unsigned low = digit_value(in[1]);
        seen |= high | low;
        *out = static_cast<std::uint8_t>(high << 4 | low);
    }
    return seen < 16;
}

bool hex_decode(std::string_view text, std::uint8_t *out, std::size_t count)
{
    constexpr std::size_t kUsual = 32;  // addresses, nonces and digests
    if (text.size() != 2 + count * 2) {
        return false;
    }
    if (count > kUsual) {
        return is_hex_bytes(text) && decode_digits(text.data() + 2, out, count);
    }
    std::array<std::uint8_t, kUsual> bytes;
    if (count == 0 || text[0] != '0' || text[1] != 'x'
        || !decode_digits(text.data() + 2, bytes.data(), count)) {
        return false;
    }
    std::copy_n(bytes.begin(), count, out);
    return true;
}

}  // namespace x402
