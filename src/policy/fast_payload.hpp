// SPDX-License-Identifier: Apache-2.0
// The payload of Fast networks: a transaction and the committee's signatures.
#ifndef X402_POLICY_FAST_PAYLOAD_HPP
#define X402_POLICY_FAST_PAYLOAD_HPP

#include <optional>
#include <string>

#include "base/json_document.hpp"

namespace x402 {

// What identifies the payment: sender and nonce of the one object in
// envelope.transaction that has both, in any spelling; if none has them, the
// loose canonical JSON (canonical_json.hpp) of the transaction.
// Money: on Fast only the zone prevents a second use, so a payment that could
// have two keys is refused: sender or nonce in an unknown spelling, two such
// objects. nullopt: invalid_payload.
std::optional<std::string> fast_identity(JsonValue payload);

}  // namespace x402

#endif
