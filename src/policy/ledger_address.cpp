// SPDX-License-Identifier: Apache-2.0
#include "policy/ledger_address.hpp"

#include "base/address_codec.hpp"
#include "base/sha256_digest.hpp"

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

}  // namespace x402
