// SPDX-License-Identifier: Apache-2.0
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
enum class PaymentForm {
    eip3009,
    permit2,
    solana,
    algorand,
    fast,
    transaction,  // its bytes, without signatures if these are separate
    opaque,
};

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
    bool endless = false;   // never expires (a durable nonce)
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

// How long a payment may still be valid when it is presented, s. Claims are
// kept that long, so `most` limits the zone.
struct ValidityLimits {
    // nullopt: half of maxTimeoutSeconds, but at most 60.
    std::optional<std::int64_t> least;
    // nullopt: maxTimeoutSeconds and 600 more, since clocks differ by minutes,
    // and no less than `usual`.
    std::optional<std::int64_t> most;
    std::int64_t usual = 0;  // for how long clients sign, whatever is offered
    // A payment that never expires is refused: the claim would end before it.
    bool must_end = false;
};

// Validates a payment against the offer without a call; nullptr: valid,
// otherwise the reason for the 402 (static text), which is that of facilitators
// if they refuse such a payment too. Order: recipient, token, value (of `upto`:
// at least the amount), time. Time (unix seconds): valid_after must have passed
// (2 s later at most, because clocks differ); valid_before must leave what
// `limits` says. What the form does not contain is not checked.
const char *validate_payload(const SchemePayload &payload,
                             const PaymentRequirements &requirements,
                             std::int64_t now,
                             const ValidityLimits &limits = {});

// Whether a claim on a payment of that network lasts as long as the payment can
// be used, and every spelling of one payment has one claim: EVM, Solana,
// Algorand, Fast. On other networks the chain must refuse the second use.
bool claims_outlive_payments(std::string_view caip2);

}  // namespace x402

#endif
