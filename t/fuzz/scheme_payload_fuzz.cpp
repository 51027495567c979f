// SPDX-License-Identifier: Apache-2.0
// The scheme's part of a payment, in all forms. The first byte chooses scheme
// and network; the rest is the JSON, and the bytes of a transaction in it.
#include <cstddef>
#include <string>

#include "base/base64_codec.hpp"
#include "base/canonical_json.hpp"
#include "base/decimal_amount.hpp"
#include "fuzz_check.hpp"
#include "policy/algorand_transaction.hpp"
#include "policy/scheme_payload.hpp"
#include "policy/solana_transaction.hpp"

using namespace x402;

namespace {

constexpr const char *kToken = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
constexpr std::int64_t kNow = 1800000000;

struct Place {
    const char *scheme;
    const char *network;
};

constexpr Place kPlaces[] = {
    {"exact", "base-sepolia"}, {"upto", "base-sepolia"},
    {"exact", "solana"},       {"exact", "algorand-testnet"},
    {"exact", "fast-testnet"}, {"exact", "aptos:1"},
    {"upto", "solana"},        {"exact", "nowhere"},
};

constexpr std::size_t kPlaceCount = sizeof(kPlaces) / sizeof(kPlaces[0]);

void check_objection(const SchemePayload &parsed)
{
    PaymentRequirements offered;
    offered.amount = "10000";
    offered.asset = kToken;
    offered.pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
    if (validate_payload(parsed, offered, kNow) != nullptr) {
        return;
    }
    must(parsed.value.empty()
             || compare_atomic_amounts(parsed.value, offered.amount) >= 0,
         "no less than the amount is signed");
    must(parsed.upto || parsed.value.empty() || parsed.value == offered.amount,
         "and no more, but for upto");
    must(!parsed.valid_before
             || (*parsed.valid_before >= kNow + 60
                 && *parsed.valid_before <= kNow + 900),
         "it is valid now, and not for ever");
}

void check_payload(const Place &place, JsonValue payload)
{
    auto parsed =
        read_scheme_payload(place.scheme, place.network, kToken, payload);
    if (!parsed) {
        must(parsed.problem().text == kInvalidPayload
                 || parsed.problem().text == kNoMatchingRequirements,
             "a refusal is one of two words");
        return;
    }
    must(parsed->value.empty() || is_atomic_amount(parsed->value),
         "a value is an amount");
    check_objection(parsed.value());
    auto again = JsonDocument::parse(canonical_json(payload));
    if (!again) {
        return;  // a longer text of the same meaning may exceed the limits
    }
    auto reread =
        read_scheme_payload(place.scheme, place.network, kToken, again->root());
    must(reread.ok() && reread->claim_key == parsed->claim_key
             && reread->payer_digest == parsed->payer_digest,
         "spelling makes no other payment");
}

void check_transaction(std::string_view bytes)
{
    auto message = solana_message(bytes);
    if (message) {
        must(!message->empty()
                 && message->data() + message->size()
                        == bytes.data() + bytes.size(),
             "a message goes to the end");
        std::string other(bytes);
        other[bytes.size() - message->size() - 1] ^= 1;
        must(solana_message(other) == *message,
             "a signature is no part of the message");
        must(!solana_message(other + '\0'), "nothing stands behind it");
    }
    auto key = algorand_transaction_key(bytes);
    must(!key || key->size() == 32, "a key has 32 bytes");
    must(!key || !algorand_transaction_key(std::string(bytes) + '\0'),
         "nothing stands behind a transaction");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    std::string_view text = text_of(data, size);
    const Place &place = kPlaces[take_byte(text) % kPlaceCount];
    check_transaction(text);
    std::string encoded = base64_encode(text);
    for (const std::string &json :
         {std::string(text), "{\"transaction\":\"" + encoded + "\"}",
          "{\"paymentGroup\":[\"" + encoded + "\"],\"paymentIndex\":0}"}) {
        auto document = JsonDocument::parse(json);
        if (document) {
            check_payload(place, document->root());
        }
    }
    return 0;
}
