// SPDX-License-Identifier: Apache-2.0
// Finds the offered requirement that the client's `accepted` repeats.
#ifndef X402_PROTOCOL_REQUIREMENTS_MATCH_HPP
#define X402_PROTOCOL_REQUIREMENTS_MATCH_HPP

#include <string_view>

#include "base/json_document.hpp"
#include "protocol/payment_requirements.hpp"

namespace x402 {

// What a client is told if no option matches.
constexpr std::string_view kNoMatch = "No matching payment requirements";

// All members except `extra` must be present and equal, and none may be added;
// strings are compared with letter case, maxTimeoutSeconds by value. The
// members offered in `extra` must be in accepted.extra (objects: recursively,
// more members allowed; arrays and scalars equal); an absent accepted.extra
// counts as {}. Solana's recentBlockhash and lastValidBlockHeight are never
// compared for scheme exact on solana:*.
bool matches_requirements(JsonValue accepted,
                          const PaymentRequirements &offered);

}  // namespace x402

#endif
