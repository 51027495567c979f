// SPDX-License-Identifier: Apache-2.0
// The payload of schemes `exact` and `upto` on EVM chains, form Permit2
// (permitWitnessTransferFrom through the proxy of x402).
#ifndef X402_POLICY_PERMIT2_PAYLOAD_HPP
#define X402_POLICY_PERMIT2_PAYLOAD_HPP

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_document.hpp"
#include "policy/evm_address.hpp"

namespace x402 {

// Lifetime of the views: the payload's document.
struct Permit2Authorization {
    EvmAddress from;
    std::string_view from_text;
    std::string_view to_text;
    std::string_view token_text;
    std::string amount;  // atomic units, the most that may be taken
    std::array<std::uint8_t, 32> nonce;
    std::int64_t valid_after;  // seconds since the epoch, saturated
    std::int64_t deadline;
};

// Exactly the members `permit2Authorization` and `signature`; the
// authorization has from, permitted (token, amount), spender, nonce, deadline
// and witness (to, validAfter; for `upto` also facilitator), and nothing else.
// Addresses are 0x + 40 hex, amounts and times as json_amount.hpp says, for
// `upto` texts alone. nullopt: invalid_payload.
std::optional<Permit2Authorization> parse_permit2_payload(JsonValue payload,
                                                          bool upto);

}  // namespace x402

#endif
