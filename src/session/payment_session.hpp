// SPDX-License-Identifier: Apache-2.0
// One paid request as a state machine without hands: (state, event) ->
// (state, action, claim). It decides; src/nginx carries out.
#ifndef X402_SESSION_PAYMENT_SESSION_HPP
#define X402_SESSION_PAYMENT_SESSION_HPP

#include <cstdint>

namespace x402 {

enum class PaymentState : std::uint8_t {
    arrived,    // a payment was presented, nothing is taken yet
    verifying,  // claim taken, the facilitator is asked to verify
    verified,   // access granted, content is being made; by the word of the
                // facilitator, or without it (x402_verify)
    holding,    // response held back, settlement has not begun
    settling,   // response held back, settlement is on the wire
    settling_first,  // settlement on the wire before any content was made
    paid,            // money moved, content is being made
    delivering,      // header released under a receipt, no body byte out yet
    delivered,       // header and first body byte are with the socket
    // With x402_store: the store is asked for a claim, a new one or an older
    // one, and nothing of the money has begun.
    taking,
    // Where the journal is synced (x402_zone sync=on), or with x402_store, what
    // must not be forgotten is on its way there:
    recording,          // SETTLING; response held back, nothing was sent
    recording_first,    // SETTLING; no content was made, nothing was sent
    securing,           // PAID; response held back
    securing_first,     // PAID; no content was made
    securing_verified,  // PAID, and nothing is going to be settled
    // x402_stream: content leaves on its payer's record before it is settled.
    streaming,  // nothing is settled
    charging,   // settlement on the wire, or about to be; the request is over
    orphaned,   // the client left, the settlement goes on without it
    closed,     // nothing more to decide
};

enum class PaymentEvent : std::uint8_t {
    claim_taken,            // fresh claim, settle after content
    claim_taken_to_settle,  // fresh claim, settle before content
    claim_taken_to_serve,   // fresh claim, content without verify, then settle
    claim_asked,            // the store is asked whether the claim can be had
    claim_elsewhere,        // the store has more to say of it than this machine
    // An older claim is taken up, for the same payment presented again or, once
    // that is verified, for another payment of the same payer.
    claim_unknown_resumed,  // outcome was unknown
    claim_paid_resumed,     // content is owed
    answered_without_call,  // an offer, a refusal, a fault: nothing was taken
    verify_valid,
    verify_final,         // valid, and nothing is going to be settled
    verify_settle_first,  // valid, but no content is made on trust
    verify_invalid,
    verify_failed,
    content_free,     // an answer that is not charged
    content_charged,  // an answer that is
    content_trusted,  // likewise, and it leaves on its payer's record
    content_failed,   // money moved, this answer delivers nothing
    content_broken,   // the content cannot be completed or may not leave
    settle_due,
    settle_paid,
    settle_unproven,  // delivered on the unproven rule
    settle_waived,    // not paid, and delivered all the same
    settle_refused,
    settle_not_processed,
    settle_unknown,
    recorded,      // what was waited for is on the disk, and in the store
    claim_lost,    // paid, and another machine has delivered it, or is about to
    body_sent,     // header and first body byte are with the socket
    request_gone,  // the request ends, for whatever reason
};

enum class PaymentAction : std::uint8_t {
    none,
    call_verify,
    call_settle,
    ask_store,        // an event of a claim comes when it has answered
    wait_for_record,  // `recorded` comes when disk and store have it
    proceed,          // let nginx make the content
    challenge,        // 402 with a fresh offer
    answer_fault,     // 5xx or 409 with a fixed word
    hold,             // keep header and body back
    pass,             // let the answer go as it is
    release,          // let the answer go under the receipt
    replace,          // discard the answer, send 402, 502 or 503 instead
    cancel_call,      // the answer of verify, disk or store is not needed
    detach_call,      // settle goes on without the request
    fail,             // 500: this pair should not happen
};

// What becomes of the claim in the zone.
enum class ClaimChange : std::uint8_t {
    keep,
    free,
    verified,
    settling,
    paid,
    delivered,
    refused,
    unknown,
    owed,       // PAID, and no request is working on it
    abandoned,  // free, after verify and before settle, by its client
};

struct PaymentStep {
    PaymentState next;
    PaymentAction action;
    ClaimChange claim;
};

// Total: every pair has an answer. A pair that should not happen fails closed:
// no content, and the claim says the worst that may be true of the money.
PaymentStep step(PaymentState state, PaymentEvent event);

// Of a step() by `event`, where the journal is synced, or where there is a
// store: SETTLING is there before its first byte is sent, and PAID before
// content. Resumed claims are there already.
PaymentStep recorded_first(PaymentEvent event, const PaymentStep &step);

const char *state_name(PaymentState state);
const char *event_name(PaymentEvent event);

constexpr PaymentState kLastState = PaymentState::closed;
constexpr PaymentEvent kLastEvent = PaymentEvent::request_gone;

}  // namespace x402

#endif
