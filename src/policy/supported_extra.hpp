// SPDX-License-Identifier: Apache-2.0
// Members that a facilitator adds to an offer (x402 v2, /supported: `extra`).
#ifndef X402_POLICY_SUPPORTED_EXTRA_HPP
#define X402_POLICY_SUPPORTED_EXTRA_HPP

#include "base/json_document.hpp"
#include "base/result.hpp"
#include "protocol/payment_requirements.hpp"

namespace x402 {

// The requirements with those members of `kind_extra` that scheme and network
// use, after the operator's own, which win: feePayer (solana, algorand, aptos,
// hedera, starknet), areFeesSponsored (stellar, cardano), gasStation (sui),
// facilitatorAddress (upto on eip155, with checksum letters). Nothing else is
// taken from it, in particular not assetTransferMethod and paymentFlow.
// needs_supported is false in the result. Problem: a required member is
// missing or is not an address; the text begins with the member's name and is
// for the log.
Result<PaymentRequirements>
with_supported_extra(const PaymentRequirements &requirements,
                     JsonValue kind_extra);

// Whether a facilitator can add a member to these requirements.
bool takes_supported_extra(const PaymentRequirements &requirements);

}  // namespace x402

#endif
