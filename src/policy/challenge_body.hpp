// SPDX-License-Identifier: Apache-2.0
// The body of a 402 whose offer is in a header: for people, for agents that
// read words, and for clients of version 1, which look for `accepts`.
#ifndef X402_POLICY_CHALLENGE_BODY_HPP
#define X402_POLICY_CHALLENGE_BODY_HPP

#include <string>
#include <string_view>

#include "protocol/payment_offer.hpp"

namespace x402 {

// Where it is said how to pay, unless the operator names another place.
constexpr std::string_view kHelpUrl = "https://x402.org";

// JSON with error (left out if empty), accepts (empty: there is nothing to pay
// by in version 1), message, hint (left out if there is none) and help. `offer`
// (nullptr: none) is in the header `offer_header`.
std::string challenge_body_json(std::string_view error,
                                const PaymentOffer *offer,
                                std::string_view offer_header,
                                std::string_view help);

// What a client can do about a facilitator's reason, or about the module's own;
// empty: nothing is known.
std::string_view refusal_hint(std::string_view reason);

}  // namespace x402

#endif
