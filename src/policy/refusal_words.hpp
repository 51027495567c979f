// SPDX-License-Identifier: Apache-2.0
// The module's own words for what it refuses, each once: what clients are told
// in `error`, operators in $x402_reason, the ledger and the error log. Why a
// payment itself is invalid is said in the words of x402 and of facilitators,
// beside the code that finds it out (policy/scheme_payload, settle_reasons).
// docs/operating.md has the cause and the remedy of each.
#ifndef X402_POLICY_REFUSAL_WORDS_HPP
#define X402_POLICY_REFUSAL_WORDS_HPP

namespace x402 {

// Of the line in the error log that comes with the word.
enum class RefusalLevel {
    info,      // the client is at fault
    warn,      // handled, and odd
    error,     // a facilitator, an upstream or the configuration fails
    by_cause,  // what is wrong is said where it is seen, or needs no line
};

struct RefusalWord {
    const char *word;
    unsigned status;  // of the response, unless a directive says another one
    RefusalLevel level = RefusalLevel::by_cause;
};

// clang-format off

// Something is in the way for a moment.
inline constexpr RefusalWord kBusy = {"busy", 503};
inline constexpr RefusalWord kPaymentInUse = {"payment_in_use", 409};

// The facilitator.
inline constexpr RefusalWord kFacilitatorNotReady = {"facilitator_not_ready", 503};
inline constexpr RefusalWord kFacilitatorUnavailable = {"facilitator_unavailable", 503};
inline constexpr RefusalWord kFacilitatorFailed = {"facilitator_failed", 502};
inline constexpr RefusalWord kFacilitatorTimeout = {"facilitator_timeout", 504};

// The settlement.
inline constexpr RefusalWord kSettlementUnknown = {"settlement_unknown", 503};
inline constexpr RefusalWord kSettlementUnproven = {"settlement_unproven", 409};

// The payment: it was used, or its extension payment-identifier is wrong.
inline constexpr RefusalWord kPaymentAlreadyUsed = {"payment_already_used", 402};
inline constexpr RefusalWord kAllowanceRequired = {"permit2_allowance_required", 412};
inline constexpr RefusalWord kPaymentIdentifierRequired = {"payment_identifier_required", 400};
inline constexpr RefusalWord kPaymentIdentifierInvalid = {"payment_identifier_invalid", 400};
inline constexpr RefusalWord kPaymentIdentifierInUse = {"payment_identifier_in_use", 409};

// The content.
inline constexpr RefusalWord kContentFailed = {"content_failed", 502, RefusalLevel::warn};
inline constexpr RefusalWord kContentTimeout = {"content_timeout", 504, RefusalLevel::error};
inline constexpr RefusalWord kUpgradeNotServed = {"upgrade_not_served", 502, RefusalLevel::warn};
inline constexpr RefusalWord kSettlementOverrideInvalid = {"settlement_override_invalid", 502, RefusalLevel::error};
inline constexpr RefusalWord kOwedContentCostsMore = {"owed_content_costs_more", 502, RefusalLevel::warn};

// Rules about payers.
inline constexpr RefusalWord kPayerRefused = {"payer_refused", 403, RefusalLevel::info};
inline constexpr RefusalWord kPayerTooFast = {"payer_too_fast", 429, RefusalLevel::info};
inline constexpr RefusalWord kQuotaUsedUp = {"quota_used_up", 429, RefusalLevel::info};
inline constexpr RefusalWord kPayerNotVerified = {"payer_not_verified", 500, RefusalLevel::error};
inline constexpr RefusalWord kNoMemoryForRule = {"no_memory", 500};

// The request, or what is configured for it.
inline constexpr RefusalWord kRequestBodyInvalid = {"request_body_invalid", 400};
inline constexpr RefusalWord kRequestBodyTooLarge = {"request_body_too_large", 413};
inline constexpr RefusalWord kNoOffer = {"no_offer", 500};
inline constexpr RefusalWord kOtherPrice = {"other_price", 500, RefusalLevel::error};

// A pass.
inline constexpr RefusalWord kPassMalformed = {"pass_malformed", 402};
inline constexpr RefusalWord kPassInvalid = {"pass_invalid", 402};
inline constexpr RefusalWord kPassNotYetValid = {"pass_not_yet_valid", 402};
inline constexpr RefusalWord kPassExpired = {"pass_expired", 402};
inline constexpr RefusalWord kPassForAnotherPlace = {"pass_for_another_place", 402};
inline constexpr RefusalWord kPassForAnotherPrice = {"pass_for_another_price", 402};
inline constexpr RefusalWord kPassNotKnown = {"pass_not_known", 402};
inline constexpr RefusalWord kPassUsedUp = {"pass_used_up", 402};

// Signing in.
inline constexpr RefusalWord kSignInRequired = {"sign_in_required", 402};
inline constexpr RefusalWord kSignInNotPaid = {"sign_in_not_paid", 402};
inline constexpr RefusalWord kSignInMalformed = {"sign_in_malformed", 401, RefusalLevel::info};
inline constexpr RefusalWord kSignInForAnotherDomain = {"sign_in_for_another_domain", 401, RefusalLevel::info};
inline constexpr RefusalWord kSignInForAnotherResource = {"sign_in_for_another_resource", 401, RefusalLevel::info};
inline constexpr RefusalWord kSignInChainNotOffered = {"sign_in_chain_not_offered", 401, RefusalLevel::info};
inline constexpr RefusalWord kSignInNonceInvalid = {"sign_in_nonce_invalid", 401, RefusalLevel::info};
inline constexpr RefusalWord kSignInNonceUsed = {"sign_in_nonce_used", 401, RefusalLevel::info};
inline constexpr RefusalWord kSignInNotYetValid = {"sign_in_not_yet_valid", 401, RefusalLevel::info};
inline constexpr RefusalWord kSignInExpired = {"sign_in_expired", 401, RefusalLevel::info};
inline constexpr RefusalWord kSignInSignatureInvalid = {"sign_in_signature_invalid", 401, RefusalLevel::info};

// clang-format on

}  // namespace x402

#endif
