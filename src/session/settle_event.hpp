// SPDX-License-Identifier: Apache-2.0
// What an answer to settle comes to for a claim, as an event of the session.
#ifndef X402_SESSION_SETTLE_EVENT_HPP
#define X402_SESSION_SETTLE_EVENT_HPP

#include "facilitator/settle_answer.hpp"
#include "session/payment_session.hpp"

namespace x402 {

// What is known of the claim from before this settle.
struct PriorSettle {
    bool ever_unknown = false;  // an earlier settle was not answered
    bool was_verified = false;
    bool first_settle_sent = false;  // the whole of the first settle
};

// Money: no refusal counts for a claim that was ever unknown. Only proof of
// payment ends it, or settle_unproven: a verified payment whose nonce is used.
// That one stands only where the operator delivers then (x402_unproven) and
// ClaimTable::count_unproven() agrees; otherwise the outcome stays unknown.
PaymentEvent settle_event(SettleVerdict verdict, const PriorSettle &prior);

}  // namespace x402

#endif
