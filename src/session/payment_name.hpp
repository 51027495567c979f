// SPDX-License-Identifier: Apache-2.0
// Whether a name (payment-identifier) is free for a payment, by the names and
// the claims together.
#ifndef X402_SESSION_PAYMENT_NAME_HPP
#define X402_SESSION_PAYMENT_NAME_HPP

#include "session/claim_table.hpp"
#include "session/payment_ids.hpp"

namespace x402 {

// Another payment than `own` (a claim key) has the name, and was paid or may
// still come to something. The name of one that came to nothing is forgotten.
bool name_is_taken(ClaimTable &claims, PaymentIds &names,
                   const PaymentName &name, const Digest &own,
                   std::int64_t now);

}  // namespace x402

#endif
