// SPDX-License-Identifier: Apache-2.0
#include "policy/ton_address.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/address_codec.hpp"
#include "base/base64_codec.hpp"
#include "base/hex_codec.hpp"

namespace x402 {

namespace {

constexpr std::size_t kHashDigits = 64;
constexpr std::size_t kFriendly = 48;

// A tag, the workchain, the hash and CRC-16 with the high byte first.
constexpr std::size_t kBytes = 36;
constexpr std::size_t kSummed = 34;
constexpr std::uint8_t kTestOnly = 0x80;

std::optional<std::string> friendly_bytes(std::string_view text)
{
    bool standard = text.find_first_of("+/") != std::string_view::npos;
    auto bytes = standard ? base64_decode(text) : base64url_decode(text);
    return bytes && text.size() == kFriendly && bytes->size() == kBytes
               ? bytes
               : std::nullopt;
}

std::uint8_t byte_at(const std::string &bytes, std::size_t place)
{
    return static_cast<std::uint8_t>(bytes[place]);
}

// The workchain and the digits; only two workchains exist.
bool is_raw(std::string_view text)
{
    std::string_view digits =
        text.substr(std::min(text.find(':'), text.size()));
    bool hex = digits.size() == 1 + kHashDigits
               && is_hex_bytes("0x" + std::string(digits.substr(1)));
    return hex
           && (text.size() - digits.size() == 1
                   ? text.front() == '0'
                   : text.substr(0, text.find(':')) == "-1");
}

}  // namespace

std::string ton_fault(std::string_view text)
{
    constexpr std::string_view kForm =
        "is not a TON address: write the 48 characters of its friendly form "
        "(UQ... or EQ...), or the raw form, 0: and 64 hexadecimal digits";
    if (is_raw(text)) {
        return "";
    }
    auto bytes = friendly_bytes(text);
    if (!bytes) {
        return std::string(kForm);
    }
    std::uint16_t sum =
        crc16_xmodem(std::string_view(*bytes).substr(0, kSummed));
    if (byte_at(*bytes, kSummed) != sum >> 8
        || byte_at(*bytes, kSummed + 1) != (sum & 0xff)) {
        return std::string(kMistyped);
    }
    int tag = byte_at(*bytes, 0) & ~kTestOnly;
    std::uint8_t workchain = byte_at(*bytes, 1);
    bool known =
        (tag == 0x11 || tag == 0x51) && (workchain == 0 || workchain == 0xff);
    return std::string(known ? "" : kForm);
}

std::string raw_ton_address(std::string_view text)
{
    if (text.find(':') != std::string_view::npos) {
        std::string raw(text);
        std::transform(raw.begin(), raw.end(), raw.begin(), [](char letter) {
            bool upper = letter >= 'A' && letter <= 'F';
            return upper ? static_cast<char>(letter - 'A' + 'a') : letter;
        });
        return raw;
    }
    std::string bytes = friendly_bytes(text).value_or(std::string(kBytes, 0));
    return (bytes[1] == 0 ? "0:" : "-1:")
           + hex_encode(reinterpret_cast<const std::uint8_t *>(&bytes[2]),
                        kHashDigits / 2);
}

AddressMoney ton_money(std::string_view text)
{
    auto bytes = friendly_bytes(text);
    return bytes && (byte_at(*bytes, 0) & kTestOnly) != 0
               ? AddressMoney::test
               : AddressMoney::unsaid;
}

}  // namespace x402
