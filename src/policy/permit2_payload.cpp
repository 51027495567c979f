// SPDX-License-Identifier: Apache-2.0
#include "policy/permit2_payload.hpp"

#include <cstddef>

#include "base/decimal_amount.hpp"
#include "base/hex_codec.hpp"
#include "policy/json_amount.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMaxSignatureText = 16 * 1024;

// The official facilitator reads numbers in the terms of scheme exact, and
// texts alone in those of upto.
bool is_amount(JsonValue value, bool upto)
{
    return upto ? is_atomic_amount(value.string())
                : json_amount(value).has_value();
}

std::int64_t seconds_of(JsonValue value)
{
    return saturated_seconds(*json_amount(value));
}

bool is_address(JsonValue value)
{
    return parse_evm_address(value.string()).has_value();
}

bool has_shape(JsonValue payload, bool upto)
{
    JsonValue terms = payload["permit2Authorization"];
    JsonValue permitted = terms["permitted"];
    JsonValue witness = terms["witness"];
    std::string_view signature = payload["signature"].string();
    return payload.size() == 2 && signature.size() <= kMaxSignatureText
           && is_hex_bytes(signature) && terms.is_object() && terms.size() == 6
           && permitted.is_object() && permitted.size() == 2
           && witness.is_object() && witness.size() == (upto ? 3u : 2u)
           && is_address(terms["from"]) && is_address(terms["spender"])
           && is_amount(terms["nonce"], upto)
           && is_amount(terms["deadline"], upto)
           && is_address(permitted["token"])
           && is_amount(permitted["amount"], upto) && is_address(witness["to"])
           && is_amount(witness["validAfter"], upto)
           && (!upto || is_address(witness["facilitator"]));
}

}  // namespace

std::optional<Permit2Authorization> parse_permit2_payload(JsonValue payload,
                                                          bool upto)
{
    if (!has_shape(payload, upto)) {
        return std::nullopt;
    }
    JsonValue terms = payload["permit2Authorization"];
    JsonValue witness = terms["witness"];
    Permit2Authorization parsed;
    parsed.from_text = terms["from"].string();
    parsed.from = *parse_evm_address(parsed.from_text);
    parsed.to_text = witness["to"].string();
    parsed.token_text = terms["permitted"]["token"].string();
    parsed.amount = *json_amount(terms["permitted"]["amount"]);
    parsed.nonce = *atomic_amount_bytes(*json_amount(terms["nonce"]));
    parsed.valid_after = seconds_of(witness["validAfter"]);
    parsed.deadline = seconds_of(terms["deadline"]);
    return parsed;
}

}  // namespace x402
