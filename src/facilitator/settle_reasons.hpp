// SPDX-License-Identifier: Apache-2.0
// Reasons of a settle answer that prove that nothing was broadcast, and reasons
// of any answer that stay true.
#ifndef X402_FACILITATOR_SETTLE_REASONS_HPP
#define X402_FACILITATOR_SETTLE_REASONS_HPP

#include <string_view>

namespace x402 {

// The facilitator decided against the payment before it sent a transaction.
// Anything not listed may have moved money. "word: detail" counts as its word.
bool is_pre_broadcast_reason(std::string_view reason);

// The authorization's nonce has been used: settled, canceled by the payer or
// submitted by someone else; all have this one reason.
bool is_nonce_used_reason(std::string_view reason);

// Said beside a transaction: it was mined and reverted, nothing moved.
// `message` is the errorMessage that came with it, `family` the part of the
// CAIP-2 network id before the colon. Without a transaction these words prove
// nothing.
bool is_mined_revert(std::string_view reason, std::string_view message,
                     std::string_view family);

// The same payment will always be refused again, because the error is in its
// own bytes. Never a reason that the chain, the clock or the facilitator's
// configuration may change.
bool is_lasting_reason(std::string_view reason);

}  // namespace x402

#endif
