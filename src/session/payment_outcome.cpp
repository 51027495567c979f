// SPDX-License-Identifier: Apache-2.0
#include "session/payment_outcome.hpp"

namespace x402 {

namespace {

RequestOutcome outcome_of(ReplyKind reply)
{
    switch (reply) {
    case ReplyKind::challenge:
        return RequestOutcome::challenged;
    case ReplyKind::refusal:
        return RequestOutcome::refused;
    case ReplyKind::unknown:
        return RequestOutcome::unknown;
    case ReplyKind::fault:
    case ReplyKind::none:
        break;
    }
    return RequestOutcome::failed;
}

}  // namespace

RequestOutcome outcome_of(const OutcomeFacts &facts)
{
    if (facts.money_moved) {
        return RequestOutcome::settled;
    }
    if (facts.reply != ReplyKind::none) {
        return outcome_of(facts.reply);
    }
    switch (facts.state) {
    case PaymentState::arrived:
        if (!facts.let_in) {
            return RequestOutcome::undecided;
        }
        if (facts.signed_in) {
            return RequestOutcome::signed_in;
        }
        if (facts.pass) {
            return RequestOutcome::pass;
        }
        return facts.bypassed ? RequestOutcome::bypassed : RequestOutcome::free;
    case PaymentState::verified:
    case PaymentState::holding:
    case PaymentState::recording:
    case PaymentState::streaming:
    case PaymentState::charging:
        return RequestOutcome::verified;
    case PaymentState::settling:
    case PaymentState::settling_first:
    case PaymentState::orphaned:
        return RequestOutcome::unknown;
    case PaymentState::paid:
    case PaymentState::delivering:
    case PaymentState::delivered:
    case PaymentState::securing:
    case PaymentState::securing_first:
    case PaymentState::securing_verified:
        return facts.never_settled ? RequestOutcome::verified
                                   : RequestOutcome::settled;
    case PaymentState::taking:
    case PaymentState::verifying:
    case PaymentState::recording_first:
    case PaymentState::closed:
        break;
    }
    // Closed without an answer of the module: content that is not charged.
    return facts.accepted ? RequestOutcome::verified : RequestOutcome::failed;
}

const char *outcome_word(const OutcomeFacts &facts)
{
    constexpr const char *kWords[] = {
        "",        "free",     "bypassed", "pass",    "signed_in", "challenged",
        "refused", "verified", "settled",  "unknown", "failed",
    };
    static_assert(sizeof(kWords) / sizeof(kWords[0])
                  == static_cast<unsigned>(RequestOutcome::failed) + 1);
    return kWords[static_cast<unsigned>(outcome_of(facts))];
}

}  // namespace x402
