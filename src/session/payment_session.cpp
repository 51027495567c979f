// SPDX-License-Identifier: Apache-2.0
// Every pair of state and event: longer than other files because it is one
// table.
#include "session/payment_session.hpp"

namespace x402 {

namespace {

// Money: the claim after something that should not happen. Where settle may be
// on the wire the outcome is unknown; where money moved content is owed.
PaymentStep unexpected(PaymentState state)
{
    switch (state) {
    case PaymentState::settling:
    case PaymentState::settling_first:
    case PaymentState::charging:
    case PaymentState::orphaned:
        return {PaymentState::closed, PaymentAction::fail,
                ClaimChange::unknown};
    case PaymentState::paid:
    case PaymentState::delivering:
    case PaymentState::delivered:
    case PaymentState::securing:
    case PaymentState::securing_first:
    case PaymentState::securing_verified:
        return {PaymentState::closed, PaymentAction::fail, ClaimChange::owed};
    case PaymentState::arrived:
    case PaymentState::closed:
        return {PaymentState::closed, PaymentAction::fail, ClaimChange::keep};
    case PaymentState::verifying:
    case PaymentState::verified:
    case PaymentState::holding:
    case PaymentState::recording:
    case PaymentState::recording_first:
    case PaymentState::taking:
    case PaymentState::streaming:
        break;
    }
    return {PaymentState::closed, PaymentAction::fail, ClaimChange::free};
}

PaymentStep step_arrived(PaymentEvent event)
{
    switch (event) {
    case PaymentEvent::claim_taken:
        return {PaymentState::verifying, PaymentAction::call_verify,
                ClaimChange::keep};
    case PaymentEvent::claim_taken_to_settle:
    case PaymentEvent::claim_unknown_resumed:
        return {PaymentState::settling_first, PaymentAction::call_settle,
                ClaimChange::settling};
    case PaymentEvent::claim_taken_to_serve:
        // Money: it stays VERIFYING. Anyone may have made it.
        return {PaymentState::verified, PaymentAction::proceed,
                ClaimChange::keep};
    case PaymentEvent::claim_paid_resumed:
        return {PaymentState::paid, PaymentAction::proceed, ClaimChange::keep};
    case PaymentEvent::claim_asked:
        return {PaymentState::taking, PaymentAction::ask_store,
                ClaimChange::keep};
    case PaymentEvent::answered_without_call:
        return {PaymentState::closed, PaymentAction::none, ClaimChange::keep};
    case PaymentEvent::request_gone:
        // A claim in hand by now was taken and is good for nothing yet.
        return {PaymentState::closed, PaymentAction::none, ClaimChange::free};
    default:
        return unexpected(PaymentState::arrived);
    }
}

// A claim in hand is this machine's alone until the store has said so.
PaymentStep step_taking(PaymentEvent event)
{
    switch (event) {
    case PaymentEvent::claim_taken:
        return {PaymentState::verifying, PaymentAction::call_verify,
                ClaimChange::keep};
    case PaymentEvent::claim_taken_to_settle:
    case PaymentEvent::claim_unknown_resumed:
        return {PaymentState::settling_first, PaymentAction::call_settle,
                ClaimChange::settling};
    case PaymentEvent::claim_taken_to_serve:
        return {PaymentState::verified, PaymentAction::proceed,
                ClaimChange::keep};
    case PaymentEvent::claim_paid_resumed:
        return {PaymentState::paid, PaymentAction::proceed, ClaimChange::keep};
    case PaymentEvent::claim_elsewhere:
        return {PaymentState::arrived, PaymentAction::none, ClaimChange::free};
    case PaymentEvent::answered_without_call:
        return {PaymentState::closed, PaymentAction::none, ClaimChange::free};
    case PaymentEvent::request_gone:
        return {PaymentState::closed, PaymentAction::cancel_call,
                ClaimChange::free};
    default:
        return unexpected(PaymentState::taking);
    }
}

PaymentStep step_verifying(PaymentEvent event)
{
    switch (event) {
    case PaymentEvent::verify_valid:
        return {PaymentState::verified, PaymentAction::proceed,
                ClaimChange::verified};
    case PaymentEvent::verify_final:
        return {PaymentState::paid, PaymentAction::proceed, ClaimChange::paid};
    case PaymentEvent::verify_settle_first:
    case PaymentEvent::claim_unknown_resumed:
        return {PaymentState::settling_first, PaymentAction::call_settle,
                ClaimChange::settling};
    case PaymentEvent::claim_paid_resumed:
        return {PaymentState::paid, PaymentAction::proceed, ClaimChange::keep};
    case PaymentEvent::verify_invalid:
        return {PaymentState::closed, PaymentAction::challenge,
                ClaimChange::free};
    case PaymentEvent::verify_failed:
        return {PaymentState::closed, PaymentAction::answer_fault,
                ClaimChange::free};
    case PaymentEvent::request_gone:
        return {PaymentState::closed, PaymentAction::cancel_call,
                ClaimChange::free};
    default:
        return unexpected(PaymentState::verifying);
    }
}

PaymentStep step_verified(PaymentEvent event)
{
    switch (event) {
    case PaymentEvent::content_free:
        return {PaymentState::closed, PaymentAction::pass, ClaimChange::free};
    case PaymentEvent::content_charged:
        return {PaymentState::holding, PaymentAction::hold, ClaimChange::keep};
    case PaymentEvent::content_trusted:
        return {PaymentState::streaming, PaymentAction::pass,
                ClaimChange::keep};
    case PaymentEvent::content_broken:
        return {PaymentState::closed, PaymentAction::replace,
                ClaimChange::free};
    case PaymentEvent::request_gone:
        return {PaymentState::closed, PaymentAction::none,
                ClaimChange::abandoned};
    default:
        return unexpected(PaymentState::verified);
    }
}

PaymentStep step_holding(PaymentEvent event)
{
    switch (event) {
    case PaymentEvent::settle_due:
        return {PaymentState::settling, PaymentAction::call_settle,
                ClaimChange::settling};
    case PaymentEvent::content_free:
        // A second header: the content failed after all.
        return {PaymentState::closed, PaymentAction::pass, ClaimChange::free};
    case PaymentEvent::content_broken:
        return {PaymentState::closed, PaymentAction::replace,
                ClaimChange::free};
    case PaymentEvent::request_gone:
        return {PaymentState::closed, PaymentAction::none,
                ClaimChange::abandoned};
    default:
        return unexpected(PaymentState::holding);
    }
}

PaymentStep step_settling(PaymentEvent event)
{
    switch (event) {
    case PaymentEvent::settle_paid:
        return {PaymentState::delivering, PaymentAction::release,
                ClaimChange::paid};
    case PaymentEvent::settle_waived:
        // Nothing that follows may tell a claim of money.
        return {PaymentState::closed, PaymentAction::release,
                ClaimChange::keep};
    case PaymentEvent::settle_refused:
        return {PaymentState::closed, PaymentAction::replace,
                ClaimChange::refused};
    case PaymentEvent::settle_not_processed:
        return {PaymentState::closed, PaymentAction::replace,
                ClaimChange::free};
    case PaymentEvent::settle_unknown:
        return {PaymentState::closed, PaymentAction::replace,
                ClaimChange::unknown};
    case PaymentEvent::request_gone:
        return {PaymentState::orphaned, PaymentAction::detach_call,
                ClaimChange::keep};
    default:
        return unexpected(PaymentState::settling);
    }
}

PaymentStep step_settling_first(PaymentEvent event)
{
    switch (event) {
    case PaymentEvent::settle_paid:
    case PaymentEvent::settle_unproven:
        return {PaymentState::paid, PaymentAction::proceed, ClaimChange::paid};
    case PaymentEvent::settle_refused:
        return {PaymentState::closed, PaymentAction::challenge,
                ClaimChange::refused};
    case PaymentEvent::settle_not_processed:
        return {PaymentState::closed, PaymentAction::answer_fault,
                ClaimChange::free};
    case PaymentEvent::settle_unknown:
        return {PaymentState::closed, PaymentAction::answer_fault,
                ClaimChange::unknown};
    case PaymentEvent::request_gone:
        return {PaymentState::orphaned, PaymentAction::detach_call,
                ClaimChange::keep};
    default:
        return unexpected(PaymentState::settling_first);
    }
}

PaymentStep step_paid(PaymentEvent event)
{
    switch (event) {
    case PaymentEvent::content_free:
    case PaymentEvent::content_charged:
        return {PaymentState::delivering, PaymentAction::release,
                ClaimChange::keep};
    case PaymentEvent::content_failed:
        return {PaymentState::closed, PaymentAction::release,
                ClaimChange::owed};
    case PaymentEvent::content_broken:
        return {PaymentState::closed, PaymentAction::replace,
                ClaimChange::owed};
    case PaymentEvent::request_gone:
        return {PaymentState::closed, PaymentAction::none, ClaimChange::owed};
    default:
        return unexpected(PaymentState::paid);
    }
}

PaymentStep step_delivering(PaymentEvent event)
{
    switch (event) {
    case PaymentEvent::body_sent:
        // Money: what its worker does not finish is owed until the end.
        return {PaymentState::delivered, PaymentAction::none,
                ClaimChange::keep};
    case PaymentEvent::content_broken:
    case PaymentEvent::request_gone:
        return {PaymentState::closed, PaymentAction::none, ClaimChange::owed};
    default:
        return unexpected(PaymentState::delivering);
    }
}

PaymentStep step_delivered(PaymentEvent event)
{
    switch (event) {
    case PaymentEvent::body_sent:
        return {PaymentState::delivered, PaymentAction::none,
                ClaimChange::keep};
    case PaymentEvent::content_broken:
        // Settled before content, and the body broke off: owed after all.
        return {PaymentState::closed, PaymentAction::none, ClaimChange::owed};
    case PaymentEvent::request_gone:
        return {PaymentState::closed, PaymentAction::none,
                ClaimChange::delivered};
    default:
        return unexpected(PaymentState::delivered);
    }
}

PaymentStep step_recording(PaymentEvent event)
{
    switch (event) {
    case PaymentEvent::recorded:
        return {PaymentState::settling, PaymentAction::call_settle,
                ClaimChange::keep};
    case PaymentEvent::settle_not_processed:
        return {PaymentState::closed, PaymentAction::replace,
                ClaimChange::free};
    case PaymentEvent::request_gone:
        return {PaymentState::closed, PaymentAction::cancel_call,
                ClaimChange::abandoned};
    default:
        return unexpected(PaymentState::recording);
    }
}

PaymentStep step_recording_first(PaymentEvent event)
{
    switch (event) {
    case PaymentEvent::recorded:
        return {PaymentState::settling_first, PaymentAction::call_settle,
                ClaimChange::keep};
    case PaymentEvent::settle_not_processed:
        return {PaymentState::closed, PaymentAction::answer_fault,
                ClaimChange::free};
    case PaymentEvent::request_gone:
        return {PaymentState::closed, PaymentAction::cancel_call,
                ClaimChange::free};
    default:
        return unexpected(PaymentState::recording_first);
    }
}

// Money moved: a disk or a store that does not take PAID keeps no content back.
// Money: what another machine delivers is not delivered here.
PaymentStep step_securing(PaymentEvent event)
{
    switch (event) {
    case PaymentEvent::recorded:
        return {PaymentState::delivering, PaymentAction::release,
                ClaimChange::keep};
    case PaymentEvent::claim_lost:
        return {PaymentState::closed, PaymentAction::replace,
                ClaimChange::delivered};
    case PaymentEvent::request_gone:
        return {PaymentState::closed, PaymentAction::cancel_call,
                ClaimChange::owed};
    default:
        return unexpected(PaymentState::securing);
    }
}

PaymentStep step_securing_first(PaymentEvent event)
{
    switch (event) {
    case PaymentEvent::recorded:
        return {PaymentState::paid, PaymentAction::proceed, ClaimChange::keep};
    case PaymentEvent::claim_lost:
        return {PaymentState::closed, PaymentAction::challenge,
                ClaimChange::delivered};
    case PaymentEvent::request_gone:
        return {PaymentState::closed, PaymentAction::cancel_call,
                ClaimChange::owed};
    default:
        return unexpected(PaymentState::securing_first);
    }
}

PaymentStep step_securing_verified(PaymentEvent event)
{
    switch (event) {
    case PaymentEvent::recorded:
        return {PaymentState::paid, PaymentAction::proceed, ClaimChange::keep};
    case PaymentEvent::verify_failed:
        // The disk does not take it, and nothing else guards the payment.
        return {PaymentState::closed, PaymentAction::answer_fault,
                ClaimChange::free};
    case PaymentEvent::request_gone:
        return {PaymentState::closed, PaymentAction::cancel_call,
                ClaimChange::owed};
    default:
        return unexpected(PaymentState::securing_verified);
    }
}

PaymentStep step_streaming(PaymentEvent event)
{
    switch (event) {
    case PaymentEvent::settle_due:
        return {PaymentState::charging, PaymentAction::call_settle,
                ClaimChange::settling};
    case PaymentEvent::content_broken:
    case PaymentEvent::request_gone:
        // The upstream broke off, or memory to settle is short.
        return {PaymentState::closed, PaymentAction::none, ClaimChange::free};
    default:
        return unexpected(PaymentState::streaming);
    }
}

// Money: the content has left, so nothing is owed. What a facilitator did not
// process is asked again, as an unknown outcome is.
PaymentStep step_charging(PaymentEvent event)
{
    switch (event) {
    case PaymentEvent::settle_paid:
    case PaymentEvent::settle_unproven:
        return {PaymentState::closed, PaymentAction::none,
                ClaimChange::delivered};
    case PaymentEvent::settle_refused:
        return {PaymentState::closed, PaymentAction::none,
                ClaimChange::refused};
    case PaymentEvent::settle_not_processed:
    case PaymentEvent::settle_unknown:
        return {PaymentState::closed, PaymentAction::none,
                ClaimChange::unknown};
    case PaymentEvent::request_gone:
        return {PaymentState::charging, PaymentAction::none, ClaimChange::keep};
    default:
        return unexpected(PaymentState::charging);
    }
}

PaymentStep step_orphaned(PaymentEvent event)
{
    switch (event) {
    case PaymentEvent::settle_paid:
    case PaymentEvent::settle_unproven:
        return {PaymentState::closed, PaymentAction::none, ClaimChange::owed};
    case PaymentEvent::settle_waived:
        return {PaymentState::closed, PaymentAction::none, ClaimChange::keep};
    case PaymentEvent::settle_refused:
        return {PaymentState::closed, PaymentAction::none,
                ClaimChange::refused};
    case PaymentEvent::settle_not_processed:
        return {PaymentState::closed, PaymentAction::none, ClaimChange::free};
    case PaymentEvent::settle_unknown:
        return {PaymentState::closed, PaymentAction::none,
                ClaimChange::unknown};
    default:
        return unexpected(PaymentState::orphaned);
    }
}

}  // namespace

PaymentStep step(PaymentState state, PaymentEvent event)
{
    switch (state) {
    case PaymentState::arrived:
        return step_arrived(event);
    case PaymentState::taking:
        return step_taking(event);
    case PaymentState::verifying:
        return step_verifying(event);
    case PaymentState::verified:
        return step_verified(event);
    case PaymentState::holding:
        return step_holding(event);
    case PaymentState::settling:
        return step_settling(event);
    case PaymentState::settling_first:
        return step_settling_first(event);
    case PaymentState::paid:
        return step_paid(event);
    case PaymentState::delivering:
        return step_delivering(event);
    case PaymentState::delivered:
        return step_delivered(event);
    case PaymentState::recording:
        return step_recording(event);
    case PaymentState::recording_first:
        return step_recording_first(event);
    case PaymentState::securing:
        return step_securing(event);
    case PaymentState::securing_first:
        return step_securing_first(event);
    case PaymentState::securing_verified:
        return step_securing_verified(event);
    case PaymentState::streaming:
        return step_streaming(event);
    case PaymentState::charging:
        return step_charging(event);
    case PaymentState::orphaned:
        return step_orphaned(event);
    case PaymentState::closed:
        break;
    }
    if (event == PaymentEvent::request_gone
        || event == PaymentEvent::answered_without_call) {
        return {PaymentState::closed, PaymentAction::none, ClaimChange::keep};
    }
    return unexpected(PaymentState::closed);
}

PaymentStep recorded_first(PaymentEvent event, const PaymentStep &step)
{
    PaymentStep waits = step;
    // A settlement that no request waits for waits by itself.
    if (event == PaymentEvent::claim_unknown_resumed
        || step.next == PaymentState::charging) {
        return waits;
    }
    if (step.claim == ClaimChange::settling) {
        waits.next = step.next == PaymentState::settling
                         ? PaymentState::recording
                         : PaymentState::recording_first;
    } else if (step.claim == ClaimChange::paid) {
        waits.next = step.next == PaymentState::delivering
                         ? PaymentState::securing
                         : PaymentState::securing_first;
        if (event == PaymentEvent::verify_final) {
            waits.next = PaymentState::securing_verified;
        }
    } else {
        return waits;
    }
    waits.action = PaymentAction::wait_for_record;
    return waits;
}

}  // namespace x402
