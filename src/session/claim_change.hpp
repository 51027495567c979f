// SPDX-License-Identifier: Apache-2.0
// Carries out what the session decided about a claim (PaymentStep.claim).
#ifndef X402_SESSION_CLAIM_CHANGE_HPP
#define X402_SESSION_CLAIM_CHANGE_HPP

#include "session/claim_table.hpp"
#include "session/payment_session.hpp"

namespace x402 {

// Changes that carry more than their name (verified, settling, paid) are made
// where they happen: nothing is done for them here.
void apply_claim_change(ClaimTable &claims, ClaimRef claim, ClaimChange change,
                        std::int64_t now);

}  // namespace x402

#endif
