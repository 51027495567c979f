// SPDX-License-Identifier: Apache-2.0
#include "policy/fast_payload.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/canonical_json.hpp"
#include "base/decimal_amount.hpp"
#include "base/hex_codec.hpp"

namespace x402 {

namespace {

constexpr std::size_t kKeyBytes = 32;

// 32 bytes as lower-case hex, from an array of numbers, or from hex with or
// without 0x in front.
std::optional<std::string> sender_text(JsonValue sender)
{
    std::uint8_t bytes[kKeyBytes];
    if (sender.is_string()) {
        std::string text(sender.string());
        if (text.compare(0, 2, "0x") != 0) {
            text.insert(0, "0x");
        }
        return hex_decode(text, bytes, kKeyBytes)
                   ? std::optional<std::string>(hex_encode(bytes, kKeyBytes))
                   : std::nullopt;
    }
    if (!sender.is_array() || sender.size() != kKeyBytes) {
        return std::nullopt;
    }
    for (std::size_t index = 0; index < kKeyBytes; ++index) {
        std::optional<std::int64_t> byte = sender.at(index).integer();
        if (!byte || *byte < 0 || *byte > 255) {
            return std::nullopt;
        }
        bytes[index] = static_cast<std::uint8_t>(*byte);
    }
    return hex_encode(bytes, kKeyBytes);
}

std::optional<std::string> nonce_text(JsonValue nonce)
{
    std::optional<std::int64_t> number = nonce.integer();
    if (number && *number >= 0) {
        return std::to_string(*number);
    }
    return is_atomic_amount(nonce.string())
               ? std::optional<std::string>(nonce.string())
               : std::nullopt;
}

struct Found {
    JsonValue object;
    unsigned count = 0;
};

void find_sender(JsonValue value, Found &found)
{
    if (value["sender"].exists() && value["nonce"].exists()) {
        found.object = value;
        ++found.count;
    }
    for (const auto &[key, member] : value.members()) {
        find_sender(member, found);
    }
    for (std::size_t index = 0; value.is_array() && index < value.size();
         ++index) {
        find_sender(value.at(index), found);
    }
}

}  // namespace

std::optional<std::string> fast_identity(JsonValue payload)
{
    JsonValue certificate = payload["transactionCertificate"];
    JsonValue envelope = certificate["envelope"];
    JsonValue transaction = envelope["transaction"];
    if (payload["type"].string() != "signAndSendTransaction"
        || payload.size() != 2 || !envelope.is_object()
        || !envelope["signature"].exists() || !transaction.exists()
        || transaction.is_null() || !certificate["signatures"].is_array()
        || certificate["signatures"].size() == 0) {
        return std::nullopt;
    }
    Found found;
    find_sender(transaction, found);
    if (found.count > 1) {
        return std::nullopt;
    }
    if (found.count == 0) {
        return "transaction " + canonical_json(transaction, Spelling::loose);
    }
    std::optional<std::string> sender = sender_text(found.object["sender"]);
    std::optional<std::string> nonce = nonce_text(found.object["nonce"]);
    if (!sender || !nonce) {
        return std::nullopt;
    }
    return "sender " + *sender + " " + *nonce;
}

}  // namespace x402
