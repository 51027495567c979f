#include "session/payment_outcome.hpp"

namespace x402 {

namespace {

const char *reply_word(ReplyKind reply)
{
    switch (reply) {
    case ReplyKind::challenge:
        return "challenged";
    case ReplyKind::refusal:
        return "refused";
    case ReplyKind::unknown:
        return "unknown";
    case ReplyKind::fault:
    case ReplyKind::none:
        break;
    }
    return "failed";
}

}  // namespace

const char *outcome_word(const OutcomeFacts &facts)
{
    if (facts.money_moved) {
        return "settled";
    }
    if (facts.reply != ReplyKind::none) {
        return reply_word(facts.reply);
    }
    switch (facts.state) {
    case PaymentState::arrived:
        if (!facts.let_in) {
            return "";
        }
        return facts.bypassed ? "bypassed" : "free";
    case PaymentState::verified:
    case PaymentState::holding:
        return "verified";
    case PaymentState::settling:
    case PaymentState::settling_first:
    case PaymentState::orphaned:
        return "unknown";
    case PaymentState::paid:
    case PaymentState::delivering:
    case PaymentState::delivered:
        return facts.never_settled ? "verified" : "settled";
    case PaymentState::verifying:
    case PaymentState::closed:
        break;
    }
    // Closed without an answer of ours: content that is not charged.
    return facts.accepted ? "verified" : "failed";
}

}  // namespace x402
