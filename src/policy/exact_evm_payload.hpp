// SPDX-License-Identifier: Apache-2.0
// The payload of scheme `exact` on EVM chains, form EIP-3009
// (transferWithAuthorization): shape, terms and time.
#ifndef X402_POLICY_EXACT_EVM_PAYLOAD_HPP
#define X402_POLICY_EXACT_EVM_PAYLOAD_HPP

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_document.hpp"
#include "policy/evm_address.hpp"
#include "protocol/payment_requirements.hpp"

namespace x402 {

// Lifetime of the views: the payload's document.
struct Eip3009Authorization {
    EvmAddress from;
    EvmAddress to;
    std::string_view from_text;
    std::string value;         // atomic units
    std::int64_t valid_after;  // seconds since the epoch, saturated
    std::int64_t valid_before;
    std::array<std::uint8_t, 32> nonce;
};

// The shape check before a claim: exactly the members `authorization` and
// `signature` (0x and hex bytes, at most 16 KB of text); the authorization has
// from, to (0x + 40 hex), value, validAfter, validBefore
// (json_amount.hpp), nonce (0x + 64 hex) and nothing else. nullopt:
// invalid_payload. Signatures are not checked here: only the chain can check
// those of contract wallets.
std::optional<Eip3009Authorization> parse_eip3009_payload(JsonValue payload);

}  // namespace x402

#endif
