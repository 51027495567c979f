#include "session/payment_session.hpp"

namespace x402 {

namespace {

// Money: the claim after something that should not happen. Where settle may be
// on the wire the outcome is unknown; where money moved content is owed.
Step unexpected(State state)
{
    switch (state) {
    case State::settling:
    case State::settling_first:
    case State::orphaned:
        return {State::closed, Action::fail, ClaimChange::unknown};
    case State::paid:
    case State::delivering:
        return {State::closed, Action::fail, ClaimChange::owed};
    case State::arrived:
    case State::delivered:
    case State::closed:
        return {State::closed, Action::fail, ClaimChange::keep};
    case State::verifying:
    case State::verified:
    case State::holding:
        break;
    }
    return {State::closed, Action::fail, ClaimChange::free};
}

Step step_arrived(Event event)
{
    switch (event) {
    case Event::claim_taken:
        return {State::verifying, Action::call_verify, ClaimChange::keep};
    case Event::claim_taken_to_settle:
    case Event::claim_unknown_resumed:
        return {State::settling_first, Action::call_settle,
                ClaimChange::settling};
    case Event::claim_paid_resumed:
        return {State::paid, Action::proceed, ClaimChange::keep};
    case Event::request_gone:
        // A claim in hand by now was taken and is good for nothing yet.
        return {State::closed, Action::none, ClaimChange::free};
    default:
        return unexpected(State::arrived);
    }
}

Step step_verifying(Event event)
{
    switch (event) {
    case Event::verify_valid:
        return {State::verified, Action::proceed, ClaimChange::verified};
    case Event::verify_final:
        return {State::paid, Action::proceed, ClaimChange::paid};
    case Event::verify_settle_first:
    case Event::claim_unknown_resumed:
        return {State::settling_first, Action::call_settle,
                ClaimChange::settling};
    case Event::claim_paid_resumed:
        return {State::paid, Action::proceed, ClaimChange::keep};
    case Event::verify_invalid:
        return {State::closed, Action::challenge, ClaimChange::free};
    case Event::verify_failed:
        return {State::closed, Action::answer_fault, ClaimChange::free};
    case Event::request_gone:
        return {State::closed, Action::cancel_call, ClaimChange::free};
    default:
        return unexpected(State::verifying);
    }
}

Step step_verified(Event event)
{
    switch (event) {
    case Event::content_free:
        return {State::closed, Action::pass, ClaimChange::free};
    case Event::content_charged:
        return {State::holding, Action::hold, ClaimChange::keep};
    case Event::content_broken:
        return {State::closed, Action::replace, ClaimChange::free};
    case Event::request_gone:
        return {State::closed, Action::none, ClaimChange::free};
    default:
        return unexpected(State::verified);
    }
}

Step step_holding(Event event)
{
    switch (event) {
    case Event::settle_due:
        return {State::settling, Action::call_settle, ClaimChange::settling};
    case Event::content_free:
        // A second header: the content failed after all.
        return {State::closed, Action::pass, ClaimChange::free};
    case Event::content_broken:
        return {State::closed, Action::replace, ClaimChange::free};
    case Event::request_gone:
        return {State::closed, Action::none, ClaimChange::free};
    default:
        return unexpected(State::holding);
    }
}

Step step_settling(Event event)
{
    switch (event) {
    case Event::settle_paid:
        return {State::delivering, Action::release, ClaimChange::paid};
    case Event::settle_waived:
        // Nothing that follows may tell a claim of money.
        return {State::closed, Action::release, ClaimChange::keep};
    case Event::settle_refused:
        return {State::closed, Action::replace, ClaimChange::refused};
    case Event::settle_not_processed:
        return {State::closed, Action::replace, ClaimChange::free};
    case Event::settle_unknown:
        return {State::closed, Action::replace, ClaimChange::unknown};
    case Event::request_gone:
        return {State::orphaned, Action::detach_call, ClaimChange::keep};
    default:
        return unexpected(State::settling);
    }
}

Step step_settling_first(Event event)
{
    switch (event) {
    case Event::settle_paid:
    case Event::settle_unproven:
        return {State::paid, Action::proceed, ClaimChange::paid};
    case Event::settle_refused:
        return {State::closed, Action::challenge, ClaimChange::refused};
    case Event::settle_not_processed:
        return {State::closed, Action::answer_fault, ClaimChange::free};
    case Event::settle_unknown:
        return {State::closed, Action::answer_fault, ClaimChange::unknown};
    case Event::request_gone:
        return {State::orphaned, Action::detach_call, ClaimChange::keep};
    default:
        return unexpected(State::settling_first);
    }
}

Step step_paid(Event event)
{
    switch (event) {
    case Event::content_free:
    case Event::content_charged:
        return {State::delivering, Action::release, ClaimChange::keep};
    case Event::content_failed:
        return {State::closed, Action::release, ClaimChange::owed};
    case Event::content_broken:
        return {State::closed, Action::replace, ClaimChange::owed};
    case Event::request_gone:
        return {State::closed, Action::none, ClaimChange::owed};
    default:
        return unexpected(State::paid);
    }
}

Step step_delivering(Event event)
{
    switch (event) {
    case Event::body_sent:
        return {State::delivered, Action::none, ClaimChange::delivered};
    case Event::content_broken:
    case Event::request_gone:
        return {State::closed, Action::none, ClaimChange::owed};
    default:
        return unexpected(State::delivering);
    }
}

Step step_delivered(Event event)
{
    switch (event) {
    case Event::body_sent:
        return {State::delivered, Action::none, ClaimChange::keep};
    case Event::content_broken:
        // Settled before content, and the body broke off: owed after all.
        return {State::closed, Action::none, ClaimChange::owed};
    case Event::request_gone:
        return {State::closed, Action::none, ClaimChange::keep};
    default:
        return unexpected(State::delivered);
    }
}

Step step_orphaned(Event event)
{
    switch (event) {
    case Event::settle_paid:
    case Event::settle_unproven:
        return {State::closed, Action::none, ClaimChange::owed};
    case Event::settle_waived:
        return {State::closed, Action::none, ClaimChange::keep};
    case Event::settle_refused:
        return {State::closed, Action::none, ClaimChange::refused};
    case Event::settle_not_processed:
        return {State::closed, Action::none, ClaimChange::free};
    case Event::settle_unknown:
        return {State::closed, Action::none, ClaimChange::unknown};
    default:
        return unexpected(State::orphaned);
    }
}

}  // namespace

Step step(State state, Event event)
{
    switch (state) {
    case State::arrived:
        return step_arrived(event);
    case State::verifying:
        return step_verifying(event);
    case State::verified:
        return step_verified(event);
    case State::holding:
        return step_holding(event);
    case State::settling:
        return step_settling(event);
    case State::settling_first:
        return step_settling_first(event);
    case State::paid:
        return step_paid(event);
    case State::delivering:
        return step_delivering(event);
    case State::delivered:
        return step_delivered(event);
    case State::orphaned:
        return step_orphaned(event);
    case State::closed:
        break;
    }
    if (event == Event::request_gone) {
        return {State::closed, Action::none, ClaimChange::keep};
    }
    return unexpected(State::closed);
}

const char *state_name(State state)
{
    constexpr const char *kNames[] = {
        "arrived",   "verifying",      "verified", "holding",
        "settling",  "settling_first", "paid",     "delivering",
        "delivered", "orphaned",       "closed",
    };
    static_assert(sizeof(kNames) / sizeof(kNames[0])
                  == static_cast<unsigned>(kLastState) + 1);
    return kNames[static_cast<unsigned>(state)];
}

const char *event_name(Event event)
{
    constexpr const char *kNames[] = {
        "claim_taken",
        "claim_taken_to_settle",
        "claim_unknown_resumed",
        "claim_paid_resumed",
        "verify_valid",
        "verify_final",
        "verify_settle_first",
        "verify_invalid",
        "verify_failed",
        "content_free",
        "content_charged",
        "content_failed",
        "content_broken",
        "settle_due",
        "settle_paid",
        "settle_unproven",
        "settle_waived",
        "settle_refused",
        "settle_not_processed",
        "settle_unknown",
        "body_sent",
        "request_gone",
    };
    static_assert(sizeof(kNames) / sizeof(kNames[0])
                  == static_cast<unsigned>(kLastEvent) + 1);
    return kNames[static_cast<unsigned>(event)];
}

}  // namespace x402
