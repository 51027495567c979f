// SPDX-License-Identifier: Apache-2.0
#include "policy/exact_evm_payload.hpp"

#include <cstddef>
#include <utility>

#include "base/decimal_amount.hpp"
#include "base/hex_codec.hpp"
#include "policy/json_amount.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMaxSignatureText = 16 * 1024;

}  // namespace

std::optional<Eip3009Authorization> parse_eip3009_payload(JsonValue payload)
{
    JsonValue terms = payload["authorization"];
    std::string_view signature = payload["signature"].string();
    if (payload.size() != 2 || !terms.is_object() || terms.size() != 6
        || signature.size() > kMaxSignatureText || !is_hex_bytes(signature)) {
        return std::nullopt;
    }

    std::string_view from_text = terms["from"].string();
    std::optional<EvmAddress> from = parse_evm_address(from_text);
    std::optional<EvmAddress> to = parse_evm_address(terms["to"].string());
    auto value = json_amount(terms["value"]);
    auto valid_after = json_amount(terms["validAfter"]);
    auto valid_before = json_amount(terms["validBefore"]);
    auto nonce = hex_decode<32>(terms["nonce"].string());
    if (!from || !to || !value || !valid_after || !valid_before || !nonce) {
        return std::nullopt;
    }

    Eip3009Authorization authorization;
    authorization.from = *from;
    authorization.to = *to;
    authorization.from_text = from_text;
    authorization.value = std::move(*value);
    authorization.valid_after = saturated_seconds(*valid_after);
    authorization.valid_before = saturated_seconds(*valid_before);
    authorization.nonce = *nonce;
    return authorization;
}

}  // namespace x402
