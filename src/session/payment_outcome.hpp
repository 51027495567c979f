// SPDX-License-Identifier: Apache-2.0
// What has become of a request as far as money goes, in one word for operators
// ($x402_state). Decides nothing.
#ifndef X402_SESSION_PAYMENT_OUTCOME_HPP
#define X402_SESSION_PAYMENT_OUTCOME_HPP

#include <cstdint>

#include "session/payment_session.hpp"

namespace x402 {

// The module's first answer that a request got instead of content.
enum class ReplyKind : std::uint8_t {
    none,
    challenge,  // an offer, because there was no payment
    refusal,    // an offer, because the payment was not good
    fault,      // a payment that could not be served: nothing was charged
    unknown,    // a settlement whose outcome is not known
};

struct OutcomeFacts {
    PaymentState state = PaymentState::arrived;
    ReplyKind reply = ReplyKind::none;
    bool money_moved = false;
    bool never_settled = false;  // `x402_settle off`
    bool accepted = false;       // a payment opened the location
    bool let_in = false;         // without a payment
    bool bypassed = false;       // because of x402_bypass
    bool pass = false;           // because of a pass
    bool signed_in = false;      // because its payer bought it before
};

// In the order of LabelCounter (session/status_counters.hpp), after the first.
enum class RequestOutcome : std::uint8_t {
    undecided,
    free,
    bypassed,
    pass,
    signed_in,
    challenged,
    refused,
    verified,
    settled,
    unknown,
    failed,
};

// Money that moved, or may have, is said whatever happened to the content.
RequestOutcome outcome_of(const OutcomeFacts &facts);

// "settled", "unknown", "refused", "challenged", "failed", "verified", "free",
// "bypassed", "pass",
// "signed_in"; "" while nothing is decided.
const char *outcome_word(const OutcomeFacts &facts);

}  // namespace x402

#endif
