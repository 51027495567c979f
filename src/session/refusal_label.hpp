// SPDX-License-Identifier: Apache-2.0
// Why a request got an answer of the module's instead of content, as one word
// of a closed list: what metrics may be labelled with. Reasons of facilitators
// and the module's own words are many, and some come from strangers.
#ifndef X402_SESSION_REFUSAL_LABEL_HPP
#define X402_SESSION_REFUSAL_LABEL_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace x402 {

enum class RefusalLabel : std::uint8_t {
    other,
    insufficient_funds,
    invalid_signature,
    expired,
    not_yet_valid,
    wrong_amount,
    wrong_recipient,
    wrong_network,
    wrong_scheme,
    no_matching_requirements,
    unreadable,
    nonce_used,
    simulation_failed,
    transaction_failed,
    allowance_required,
    extension_mismatch,
    already_used,
    in_use,
    busy,
    facilitator_failed,
    facilitator_timeout,
    facilitator_unavailable,
    settlement_unknown,
    content_failed,
    payer_refused,
    payer_too_fast,
    quota_used_up,
};
constexpr std::size_t kRefusalLabels = 27;

RefusalLabel refusal_label(std::string_view reason);
const char *refusal_label_name(RefusalLabel label);

}  // namespace x402

#endif
