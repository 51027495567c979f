#include "base/hex_codec.hpp"

namespace x402 {

namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

// 0 to 15, or -1.
int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    if (digit >= 'A' && digit <= 'F') {
        return digit - 'A' + 10;
    }
    return -1;
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
    for (char digit : text.substr(2)) {
        if (digit_value(digit) < 0) {
            return false;
        }
    }
    return true;
}

bool hex_decode(std::string_view text, std::uint8_t *out, std::size_t count)
{
    if (text.size() != 2 + count * 2 || !is_hex_bytes(text)) {
        return false;
    }
    text.remove_prefix(2);
    for (std::size_t index = 0; index < count; ++index) {
        int high = digit_value(text[index * 2]);
        int low = digit_value(text[index * 2 + 1]);
        out[index] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return true;
}

}  // namespace x402
