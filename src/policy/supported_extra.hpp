// What a facilitator adds to an offer (x402 v2, /supported: `extra` of a kind).
#ifndef X402_POLICY_SUPPORTED_EXTRA_HPP
#define X402_POLICY_SUPPORTED_EXTRA_HPP

#include "base/json_document.hpp"
#include "base/result.hpp"
#include "protocol/payment_requirements.hpp"

namespace x402 {

// The requirements with those members of `kind_extra` that scheme and network
// have a use for, behind the operator's own, which win: feePayer (solana,
// algorand, aptos, hedera), areFeesSponsored (stellar), gasStation (sui),
// facilitatorAddress (upto on eip155, with checksum letters). Nothing else is
// ever taken from there, assetTransferMethod and paymentFlow least of all.
// needs_supported is false in the result. Problem: a member that has to be
// there is not, or is no address; the text begins with the member's name and is
// for the log.
Result<PaymentRequirements>
with_supported_extra(const PaymentRequirements &requirements,
                     JsonValue kind_extra);

// Whether a facilitator has anything to add to these requirements.
bool takes_supported_extra(const PaymentRequirements &requirements);

}  // namespace x402

#endif
