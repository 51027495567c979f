#include "session/payment_outcome.hpp"

namespace x402 {

namespace {

const char *reply_word(Reply reply)
{
    switch (reply) {
    case Reply::challenge:
        return "challenged";
    case Reply::refusal:
        return "refused";
    case Reply::unknown:
        return "unknown";
    case Reply::fault:
    case Reply::none:
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
    if (facts.reply != Reply::none) {
        return reply_word(facts.reply);
    }
    switch (facts.state) {
    case State::arrived:
        if (!facts.let_in) {
            return "";
        }
        return facts.bypassed ? "bypassed" : "free";
    case State::verified:
    case State::holding:
        return "verified";
    case State::settling:
    case State::settling_first:
    case State::orphaned:
        return "unknown";
    case State::paid:
    case State::delivering:
    case State::delivered:
        return facts.never_settled ? "verified" : "settled";
    case State::verifying:
    case State::closed:
        break;
    }
    // Closed without an answer of ours: content that is not charged.
    return facts.accepted ? "verified" : "failed";
}

}  // namespace x402
