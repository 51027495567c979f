// The payload of Fast networks: a transaction and the committee's signatures.
#ifndef X402_POLICY_FAST_PAYLOAD_HPP
#define X402_POLICY_FAST_PAYLOAD_HPP

#include <optional>
#include <string>

#include "base/json_document.hpp"

namespace x402 {

// What makes the payment this one: sender and nonce of the one object in
// envelope.transaction that has both, in whatever spelling; the loose canonical
// JSON (canonical_json.hpp) of the transaction where none has them.
// Money: on Fast nothing but our own memory of keys stops a second use, so what
// could have two keys is refused: sender or nonce in an unknown spelling, two
// such objects. nullopt: invalid_payload.
std::optional<std::string> fast_identity(JsonValue payload);

}  // namespace x402

#endif
