// What a payment says, in words that no longer depend on its scheme.
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

// How the payment is made. `opaque`: a form we only tell from others.
enum class PaymentForm { eip3009, permit2, solana, algorand, fast, opaque };

// The scheme's own part of a payment; owns its texts.
struct SchemePayload {
    PaymentForm form = PaymentForm::opaque;
    // Two payments with one key are one payment (claim_key.hpp).
    Digest claim_key{};
    // As the client says; empty when the form does not tell.
    std::string payer;
    // Of the canonical payer (EVM: the 20 bytes); of the claim key when the
    // form does not tell.
    Digest payer_digest{};
    std::string value;      // atomic units; empty: the form does not tell
    std::string recipient;  // as said; empty: the form does not tell
    std::string token;      // as said; empty: the form does not tell
    bool upto = false;      // `value` is the most, not what will be taken
    // Seconds since the epoch, saturated; nothing: the form does not tell.
    std::optional<std::int64_t> valid_after;
    std::optional<std::int64_t> valid_before;
};

// `error` of the 402 when scheme, network or asset can be none of ours, and
// when the payload has not exactly one of the forms known for them.
constexpr std::string_view kNoMatchingRequirements =
    "No matching payment requirements";
constexpr std::string_view kInvalidPayload = "invalid_payload";

// The shape check before a claim. `network` (any spelling) and `asset` are what
// the client wrote into `accepted` (version 1: network of the payment, asset of
// our own offer). Signatures are not checked: contract wallets sign in ways
// only their chain can judge. Problem: one of the two words above.
Result<SchemePayload> read_scheme_payload(std::string_view scheme,
                                          std::string_view network,
                                          std::string_view asset,
                                          JsonValue payload);

// What our own offer excludes without asking anybody; nullptr when nothing,
// else the x402 reason word for the 402 (static text). Order: recipient, token,
// value (of `upto`: at least the amount), time. Time (unix seconds):
// valid_after must have passed; valid_before must leave at least
// min(maxTimeoutSeconds / 2, 60) s and at most maxTimeoutSeconds + 600 s. What
// the form does not tell is not judged.
const char *validate_payload(const SchemePayload &payload,
                             const PaymentRequirements &requirements,
                             std::int64_t now);

}  // namespace x402

#endif
