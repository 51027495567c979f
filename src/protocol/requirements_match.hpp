// Which offered requirement does the client's `accepted` mean?
#ifndef X402_PROTOCOL_REQUIREMENTS_MATCH_HPP
#define X402_PROTOCOL_REQUIREMENTS_MATCH_HPP

#include "base/json_document.hpp"
#include "protocol/payment_requirements.hpp"

namespace x402 {

// All members but `extra` must be there and equal, none may be added, strings
// by letter case, maxTimeoutSeconds by value. What was offered in `extra` must
// be in accepted.extra (objects: recursively, more members allowed; arrays and
// scalars equal); an absent accepted.extra counts as {}. Solana's
// recentBlockhash and lastValidBlockHeight are never compared for scheme exact
// on solana:*.
bool matches_requirements(JsonValue accepted,
                          const PaymentRequirements &offered);

}  // namespace x402

#endif
