// The content of a payment in a form that does not depend on its scheme.
#ifndef X402_POLICY_SCHEME_PAYLOAD_HPP
#define X402_POLICY_SCHEME_PAYLOAD_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_document.hpp"
#include "base/result.hpp"
#include "base/sha256_digest.hpp"
#include "protocol/payment_requirements.hpp"

namespace x402 {

// How the payment is made. `opaque`: a form that is identified but not read.
enum class PaymentForm { eip3009, permit2, solana, algorand, fast, opaque };

// The scheme's own part of a payment; owns its texts.
struct SchemePayload {
    PaymentForm form = PaymentForm::opaque;
    // Two payments with one key are one payment (claim_key.hpp).
    Digest claim_key{};
    // As claimed by the client; empty: the form does not contain it.
    std::string payer;
    // Digest of the canonical payer (EVM: the 20 bytes); of the claim key if
    // the form does not contain it.
    Digest payer_digest{};
    std::string value;      // atomic units; empty: the form does not contain it
    std::string recipient;  // as claimed; empty: not in the form
    std::string token;      // as claimed; empty: not in the form
    bool upto = false;      // `value` is the maximum, not the final amount
    // Seconds since the epoch, saturated; empty: not in the form.
    std::optional<std::int64_t> valid_after;
    std::optional<std::int64_t> valid_before;
};

// `error` of the 402 if scheme, network or asset cannot match any offer, and if
// the payload does not have exactly one of the forms known for them.
constexpr std::string_view kNoMatchingRequirements =
    "No matching payment requirements";
constexpr std::string_view kInvalidPayload = "invalid_payload";

// The shape check before a claim. `network` (any spelling) and `asset` are what
// the client wrote into `accepted` (version 1: network of the payment, asset of
// the offer). Signatures are not checked: only the chain can check those of
// contract wallets. Problem: one of the two texts above.
Result<SchemePayload> read_scheme_payload(std::string_view scheme,
                                          std::string_view network,
                                          std::string_view asset,
                                          JsonValue payload);

// Validates a payment against the offer without a call; nullptr: valid,
// otherwise the x402 reason for the 402 (static text). Order: recipient, token,
// value (of `upto`: at least the amount), time. Time (unix seconds):
// valid_after must have passed; valid_before must leave at least
// min(maxTimeoutSeconds / 2, 60) s and at most maxTimeoutSeconds + 600 s. What
// the form does not contain is not checked.
const char *validate_payload(const SchemePayload &payload,
                             const PaymentRequirements &requirements,
                             std::int64_t now);

}  // namespace x402

#endif
