// SPDX-License-Identifier: Apache-2.0
#include "session/refusal_label.hpp"

#include "policy/refusal_words.hpp"

namespace x402 {

namespace {

struct Part {
    std::string_view part;
    RefusalLabel label;
};

// The first part that the reason contains decides: what is particular comes
// before what is general.
constexpr Part kParts[] = {
    {"no_matching", RefusalLabel::no_matching_requirements},
    {kPaymentAlreadyUsed.word, RefusalLabel::already_used},
    {kPaymentInUse.word, RefusalLabel::in_use},
    {kBusy.word, RefusalLabel::busy},
    {kFacilitatorTimeout.word, RefusalLabel::facilitator_timeout},
    {kFacilitatorUnavailable.word, RefusalLabel::facilitator_unavailable},
    {"facilitator_", RefusalLabel::facilitator_failed},
    {"settlement_un", RefusalLabel::settlement_unknown},
    {kContentFailed.word, RefusalLabel::content_failed},
    {kSettlementOverrideInvalid.word, RefusalLabel::content_failed},
    {kUpgradeNotServed.word, RefusalLabel::content_failed},
    {kPayerRefused.word, RefusalLabel::payer_refused},
    {kPayerTooFast.word, RefusalLabel::payer_too_fast},
    {kQuotaUsedUp.word, RefusalLabel::quota_used_up},
    {"extension", RefusalLabel::extension_mismatch},
    {"allowance", RefusalLabel::allowance_required},
    {"insufficient", RefusalLabel::insufficient_funds},
    {"balance", RefusalLabel::insufficient_funds},
    {"nonce", RefusalLabel::nonce_used},
    {"signature", RefusalLabel::invalid_signature},
    {"valid_before", RefusalLabel::expired},
    {"expire", RefusalLabel::expired},
    {"deadline", RefusalLabel::expired},
    {"valid_after", RefusalLabel::not_yet_valid},
    {"not_yet", RefusalLabel::not_yet_valid},
    {"simulation", RefusalLabel::simulation_failed},
    {"transaction_failed", RefusalLabel::transaction_failed},
    {"recipient", RefusalLabel::wrong_recipient},
    {"pay_to", RefusalLabel::wrong_recipient},
    {"amount", RefusalLabel::wrong_amount},
    {"value", RefusalLabel::wrong_amount},
    {"network", RefusalLabel::wrong_network},
    {"scheme", RefusalLabel::wrong_scheme},
    {"requirements", RefusalLabel::no_matching_requirements},
    {"invalid_payload", RefusalLabel::unreadable},
    {"parse", RefusalLabel::unreadable},
    {"invalid_payment", RefusalLabel::unreadable},
};

}  // namespace

RefusalLabel refusal_label(std::string_view reason)
{
    for (const Part &part : kParts) {
        if (reason.find(part.part) != std::string_view::npos) {
            return part.label;
        }
    }
    return RefusalLabel::other;
}

const char *refusal_label_name(RefusalLabel label)
{
    constexpr const char *kNames[] = {
        "other",
        "insufficient_funds",
        "invalid_signature",
        "expired",
        "not_yet_valid",
        "wrong_amount",
        "wrong_recipient",
        "wrong_network",
        "wrong_scheme",
        "no_matching_requirements",
        "unreadable",
        "nonce_used",
        "simulation_failed",
        "transaction_failed",
        "allowance_required",
        "extension_mismatch",
        "already_used",
        "in_use",
        "busy",
        "facilitator_failed",
        "facilitator_timeout",
        "facilitator_unavailable",
        "settlement_unknown",
        "content_failed",
        "payer_refused",
        "payer_too_fast",
        "quota_used_up",
    };
    static_assert(sizeof(kNames) / sizeof(kNames[0]) == kRefusalLabels);
    return kNames[static_cast<std::size_t>(label)];
}

}  // namespace x402
