// SPDX-License-Identifier: Apache-2.0
#include "policy/ledger_address.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/address_codec.hpp"
#include "base/hex_codec.hpp"
#include "base/keccak256_digest.hpp"
#include "base/sha256_digest.hpp"
#include "base/text_prefix.hpp"

namespace x402 {

namespace {

constexpr std::size_t kChecksumBytes = 4;

// The bytes before a checksum of two rounds of SHA-256; nullopt: it does not
// fit.
std::optional<std::string> checked_base58(std::string_view text)
{
    auto bytes = base58_decode(text);
    if (!bytes || bytes->size() <= kChecksumBytes) {
        return std::nullopt;
    }
    std::string payload = bytes->substr(0, bytes->size() - kChecksumBytes);
    Digest once = sha256(payload);
    Digest twice =
        sha256({reinterpret_cast<const char *>(once.data()), once.size()});
    for (std::size_t i = 0; i < kChecksumBytes; i++) {
        if (static_cast<std::uint8_t>((*bytes)[payload.size() + i])
            != twice[i]) {
            return std::nullopt;
        }
    }
    return payload;
}

bool is_versioned(const std::optional<std::string> &payload, char version,
                  std::size_t bytes)
{
    return payload && payload->size() == 1 + bytes
           && payload->front() == version;
}

// The same number in Bitcoin's alphabet; empty: a character is in neither.
std::string in_common_base58(std::string_view text)
{
    constexpr std::string_view kXrpl =
        "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz";
    constexpr std::string_view kCommon =
        "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    std::string out;
    for (char letter : text) {
        std::size_t digit = kXrpl.find(letter);
        if (digit == std::string_view::npos) {
            return {};
        }
        out += kCommon[digit];
    }
    return out;
}

bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

bool is_lower(char letter)
{
    return letter >= 'a' && letter <= 'z';
}

bool is_upper(char letter)
{
    return letter >= 'A' && letter <= 'Z';
}

bool is_hex(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char letter) {
        char lower = static_cast<char>(letter | 0x20);
        return is_digit(letter) || (lower >= 'a' && lower <= 'f');
    });
}

bool is_lower_hex(std::string_view text)
{
    return is_hex(text) && std::none_of(text.begin(), text.end(), is_upper);
}

// CIP-19: the first byte has the kind above and the network below. The first
// four kinds name keys or scripts for payments and stakes, 4 and 5 point at a
// stake, and 6 and 7 have none.
bool is_cardano_payment(std::string_view bytes, bool testnet)
{
    constexpr std::size_t kHash = 28;
    constexpr std::size_t kLeastPointer = 3;

    auto head = static_cast<std::uint8_t>(bytes.front());
    int kind = head >> 4;
    std::size_t rest = bytes.size() - 1;
    bool fits = kind < 4   ? rest == 2 * kHash
                : kind < 6 ? rest >= kHash + kLeastPointer
                : kind < 8 ? rest == kHash
                           : false;
    return fits && (head & 0xf) == (testnet ? 0 : 1);
}

// starknet.js: a letter is upper-case where the digest of the number, in as
// few bytes as it needs, has a nibble of 8 or more.
bool starknet_case_fits(std::string_view digits,
                        const std::array<std::uint8_t, 32> &number)
{
    auto first = std::find_if(number.begin(), number.end(),
                              [](std::uint8_t byte) { return byte != 0; });
    std::string bytes(first, number.end());
    std::array<std::uint8_t, 32> digest = keccak256(bytes);
    std::size_t place = 2 * digest.size() - digits.size();
    for (char digit : digits) {
        std::uint8_t byte = digest[place / 2];
        bool high = ((place % 2 == 0 ? byte >> 4 : byte) & 8) != 0;
        if (!is_digit(digit) && is_upper(digit) != high) {
            return false;
        }
        ++place;
    }
    return true;
}

// What Keeta calls the algorithm of a key.
enum KeetaKind : std::uint8_t { secp256k1 = 0, token = 3, secp256r1 = 6 };

constexpr std::string_view kKeetaForm =
    "is not a Keeta address: write keeta_ and the 61 or 63 characters a-z and "
    "2-7 that follow";

// The kind's byte of a valid address; nullopt, with the fault: not valid.
std::optional<std::uint8_t> keeta_kind(std::string_view text,
                                       std::string_view &fault)
{
    constexpr std::string_view kPrefix = "keeta_";
    constexpr std::size_t kSum = 5;
    constexpr std::size_t kKey = 32;

    fault = kKeetaForm;
    std::string letters(text.substr(std::min(kPrefix.size(), text.size())));
    for (char &letter : letters) {
        letter = is_lower(letter)   ? static_cast<char>(letter - 'a' + 'A')
                 : is_upper(letter) ? '-'
                                    : letter;
    }
    auto bytes = base32_decode(letters);
    if (!starts_with(text, kPrefix) || !bytes || bytes->empty()) {
        return std::nullopt;
    }
    auto kind = static_cast<std::uint8_t>(bytes->front());
    bool long_key = kind == secp256k1 || kind == secp256r1;
    if (bytes->size() != 1 + kKey + (long_key ? 1 : 0) + kSum) {
        return std::nullopt;
    }
    std::string_view body =
        std::string_view(*bytes).substr(0, bytes->size() - kSum);
    Digest sum = sha3_256(body);
    fault = kMistyped;
    if (!std::equal(bytes->end() - kSum, bytes->end(), sum.begin(),
                    [](char one, std::uint8_t other) {
                        return static_cast<std::uint8_t>(one) == other;
                    })) {
        return std::nullopt;
    }
    return kind;
}

}  // namespace

std::string xrpl_fault(std::string_view text)
{
    constexpr std::size_t kAccountBytes = 20;
    return is_versioned(checked_base58(in_common_base58(text)), '\0',
                        kAccountBytes)
               ? ""
               : "is not an XRPL address: write the classic address (r...), "
                 "with a valid checksum";
}

std::string near_fault(std::string_view text)
{
    constexpr std::size_t kShortest = 2;
    constexpr std::size_t kLongest = 64;
    constexpr std::string_view kAdvice =
        "is not a NEAR account: write 2 to 64 of a-z, 0-9, and single -, _ or "
        ". between them";
    bool separated = true;  // nothing, or a separator, stands before
    for (char letter : text) {
        bool word = (letter >= 'a' && letter <= 'z')
                    || (letter >= '0' && letter <= '9');
        bool separator = letter == '-' || letter == '_' || letter == '.';
        if (!word && (!separator || separated)) {
            return std::string(kAdvice);
        }
        separated = !word;
    }
    return std::string(text.size() >= kShortest && text.size() <= kLongest
                               && !separated
                           ? ""
                           : kAdvice);
}

std::string concordium_fault(std::string_view text)
{
    constexpr std::size_t kAccountBytes = 32;
    return is_versioned(checked_base58(text), '\1', kAccountBytes)
               ? ""
               : "is not a Concordium address: write its 50 characters in "
                 "base58, with a valid checksum";
}

std::string tron_fault(std::string_view text)
{
    constexpr std::size_t kCharacters = 34;
    constexpr std::size_t kAccountBytes = 20;

    if (text.size() != kCharacters || text.front() != 'T'
        || !base58_decode(text)) {
        return "is not a TRON address: write its 34 characters in base58, "
               "which begin with T";
    }
    return is_versioned(checked_base58(text), '\x41', kAccountBytes)
               ? ""
               : std::string(kMistyped);
}

std::string cardano_fault(std::string_view text)
{
    constexpr std::string_view kForm =
        "is not a Cardano payment address: write addr1, or addr_test1 on a "
        "test network, and what follows, in lower case";
    if (starts_with(text, "stake")) {
        return "is a stake address, which no payment can be sent to: write the "
               "payment address (addr1..., or addr_test1... on a test network)";
    }
    bool testnet = starts_with(text, "addr_test1");
    if ((!testnet && !starts_with(text, "addr1"))
        || std::any_of(text.begin(), text.end(), is_upper)) {
        return std::string(kForm);
    }
    auto bytes = bech32_decode(text, testnet ? "addr_test" : "addr");
    if (!bytes) {
        return std::string(kMistyped);
    }
    return std::string(
        !bytes->empty() && is_cardano_payment(*bytes, testnet) ? "" : kForm);
}

std::string cardano_asset_fault(std::string_view text)
{
    constexpr std::size_t kPolicy = 56;
    constexpr std::size_t kLongestName = 64;

    std::string_view name = text.substr(std::min(kPolicy + 1, text.size()));
    bool token = text.size() > kPolicy && text[kPolicy] == '.'
                 && is_lower_hex(text.substr(0, kPolicy))
                 && name.size() <= kLongestName && name.size() % 2 == 0
                 && is_lower_hex(name);
    return token || text == "lovelace"
               ? ""
               : "is not a Cardano asset: write the 56 hexadecimal digits of "
                 "the policy, a point and the name in hexadecimal digits, all "
                 "in lower case, or lovelace";
}

AddressMoney cardano_money(std::string_view text)
{
    return starts_with(text, "addr_test1") ? AddressMoney::test
                                           : AddressMoney::real;
}

std::string starknet_fault(std::string_view text)
{
    constexpr std::size_t kMost = 64;
    // 2^251 + 17 * 2^192 + 1
    constexpr std::array<std::uint8_t, 32> kPrime = {
        0x08, 0, 0, 0, 0, 0, 0, 0x11, 0, 0, 0, 0, 0, 0, 0, 0,
        0,    0, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0, 0, 0, 0, 1};
    std::string_view digits =
        text.substr(std::min<std::size_t>(2, text.size()));
    if (!starts_with(text, "0x") || digits.empty() || digits.size() > kMost
        || !is_hex(digits)) {
        return "is not a Starknet address: write 0x and up to 64 hexadecimal "
               "digits";
    }
    std::string padded =
        "0x" + std::string(kMost - digits.size(), '0') + std::string(digits);
    std::array<std::uint8_t, 32> number = *hex_decode<32>(padded);
    if (number >= kPrime || number == std::array<std::uint8_t, 32>{}) {
        return "is not a Starknet address: as a number it is zero or too "
               "large, so a digit is wrong";
    }
    bool both = std::any_of(digits.begin(), digits.end(), is_lower)
                && std::any_of(digits.begin(), digits.end(), is_upper);
    return std::string(both && !starknet_case_fits(digits, number) ? kMistyped
                                                                   : "");
}

std::string casper_fault(std::string_view text)
{
    constexpr std::size_t kAccount = 66;
    constexpr std::size_t kLongKey = 68;

    if (is_hex(text) && starts_with(text, "01") && text.size() == kAccount) {
        return "begins with 01, as a public key and a contract package do, and "
               "money sent to a key is lost: write 00 and the 64 hexadecimal "
               "digits of the account hash";
    }
    if (is_hex(text) && starts_with(text, "02") && text.size() == kLongKey) {
        return "is a public key: write 00 and the 64 hexadecimal digits of its "
               "account hash";
    }
    return is_hex(text) && starts_with(text, "00") && text.size() == kAccount
               ? ""
               : "is not a Casper address: write 00 and the 64 hexadecimal "
                 "digits of the account hash";
}

std::string casper_asset_fault(std::string_view text)
{
    constexpr std::size_t kHash = 64;
    return is_hex(text) && text.size() == kHash
               ? ""
               : "is not a Casper token: write the 64 hexadecimal digits of "
                 "its contract package hash, without 0x or hash-";
}

std::string keeta_fault(std::string_view text)
{
    // Keys of accounts, storage accounts and multisig accounts.
    constexpr std::array<std::uint8_t, 5> kAccounts = {0, 1, 4, 6, 7};

    std::string_view fault;
    auto kind = keeta_kind(text, fault);
    if (!kind) {
        return std::string(fault);
    }
    if (*kind == token) {
        return "is the address of a token: write that of your account";
    }
    bool account =
        std::find(kAccounts.begin(), kAccounts.end(), *kind) != kAccounts.end();
    return account ? "" : "is not the address of an account: write yours";
}

std::string keeta_asset_fault(std::string_view text)
{
    std::string_view fault;
    auto kind = keeta_kind(text, fault);
    if (!kind) {
        return std::string(fault);
    }
    return *kind == token ? ""
                          : "is the address of an account: write that of the "
                            "token";
}

}  // namespace x402
