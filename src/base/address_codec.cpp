// SPDX-License-Identifier: Apache-2.0
#include "base/address_codec.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace x402 {

namespace {

constexpr std::string_view kBase58 =
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kBech32Letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t kLongestBase58 = 128;

bool is_upper(char character)
{
    return character >= 'A' && character <= 'Z';
}

bool is_lower(char character)
{
    return character >= 'a' && character <= 'z';
}

std::uint32_t bech32_step(std::uint32_t sum, std::uint32_t value)
{
    constexpr std::uint32_t kGenerator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa,
                                            0x3d4233dd, 0x2a1462b3};
    std::uint32_t top = sum >> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    for (unsigned bit = 0; bit < 5; ++bit) {
        sum ^= ((top >> bit) & 1) != 0 ? kGenerator[bit] : 0;
    }
    return sum;
}

// The place of each character in the alphabet; nullopt: one is not in it.
std::optional<std::string> digits_of(std::string_view text,
                                     std::string_view alphabet)
{
    std::string digits;
    for (char character : text) {
        std::size_t digit = alphabet.find(character);
        if (digit == std::string_view::npos) {
            return std::nullopt;
        }
        digits.push_back(static_cast<char>(digit));
    }
    return digits;
}

// Digits of five bits as bytes; nullopt: a length that no byte string has, or
// remaining bits that are not zero.
std::optional<std::string> bytes_of_fives(std::string_view digits)
{
    std::string bytes;
    std::uint32_t buffer = 0;
    unsigned bits = 0;
    for (char digit : digits) {
        buffer = (buffer << 5 | static_cast<std::uint32_t>(digit)) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            bytes.push_back(static_cast<char>((buffer >> bits) & 0xff));
        }
    }
    if (bits >= 5 || (buffer & ((1u << bits) - 1)) != 0) {
        return std::nullopt;
    }
    return bytes;
}

struct Bech32 {
    std::string digits;  // without those of the checksum; empty: not readable
    std::uint32_t sum = 0;
};

Bech32 parse_bech32(std::string_view text, std::string_view prefix)
{
    constexpr std::size_t kChecksum = 6;

    bool upper = std::any_of(text.begin(), text.end(), is_upper);
    bool lower = std::any_of(text.begin(), text.end(), is_lower);
    std::string plain(text);
    for (char &character : plain) {
        character = is_upper(character)
                        ? static_cast<char>(character - 'A' + 'a')
                        : character;
    }
    std::string front = std::string(prefix) + "1";
    if ((upper && lower) || plain.compare(0, front.size(), front) != 0
        || plain.size() <= front.size() + kChecksum) {
        return {};
    }
    auto digits =
        digits_of(std::string_view(plain).substr(front.size()), kBech32Letters);
    if (!digits) {
        return {};
    }
    std::uint32_t sum = 1;
    for (char character : prefix) {
        sum = bech32_step(sum, static_cast<unsigned char>(character) >> 5);
    }
    sum = bech32_step(sum, 0);
    for (char character : prefix) {
        sum = bech32_step(sum, static_cast<unsigned char>(character) & 31);
    }
    for (char digit : *digits) {
        sum = bech32_step(sum, static_cast<std::uint32_t>(digit));
    }
    digits->resize(digits->size() - kChecksum);
    return {std::move(*digits), sum};
}

}  // namespace

std::optional<std::string> base58_decode(std::string_view text)
{
    if (text.empty() || text.size() > kLongestBase58) {
        return std::nullopt;
    }
    std::string backwards;  // little-endian
    for (char character : text) {
        std::size_t digit = kBase58.find(character);
        if (digit == std::string_view::npos) {
            return std::nullopt;
        }
        auto carry = static_cast<unsigned>(digit);
        for (char &byte : backwards) {
            carry += static_cast<unsigned char>(byte) * 58u;
            byte = static_cast<char>(carry & 0xff);
            carry >>= 8;
        }
        if (carry != 0) {
            backwards.push_back(static_cast<char>(carry));
        }
    }
    std::size_t zeros = std::min(text.find_first_not_of('1'), text.size());
    backwards.append(zeros, '\0');
    return std::string(backwards.rbegin(), backwards.rend());
}

std::optional<std::string> base32_decode(std::string_view text)
{
    std::optional<std::string> digits = digits_of(text, kBase32);
    return digits ? bytes_of_fives(*digits) : std::nullopt;
}

std::uint16_t crc16_xmodem(std::string_view bytes)
{
    std::uint32_t sum = 0;
    for (char byte : bytes) {
        sum ^= static_cast<std::uint32_t>(static_cast<unsigned char>(byte))
               << 8;
        for (unsigned bit = 0; bit < 8; ++bit) {
            sum = (sum & 0x8000) != 0 ? (sum << 1) ^ 0x1021 : sum << 1;
        }
        sum &= 0xffff;
    }
    return static_cast<std::uint16_t>(sum);
}

bool bech32m_ok(std::string_view text, std::string_view prefix)
{
    constexpr std::uint32_t kBech32m = 0x2bc830a3;
    Bech32 parsed = parse_bech32(text, prefix);
    return !parsed.digits.empty() && parsed.sum == kBech32m;
}

std::optional<std::string> bech32_decode(std::string_view text,
                                         std::string_view prefix)
{
    constexpr std::uint32_t kBech32 = 1;
    Bech32 parsed = parse_bech32(text, prefix);
    if (parsed.digits.empty() || parsed.sum != kBech32) {
        return std::nullopt;
    }
    return bytes_of_fives(parsed.digits);
}

}  // namespace x402
