// SPDX-License-Identifier: Apache-2.0
#include "session/payment_order.hpp"

namespace x402 {

VerifyNeed verify_need(ClaimTable &claims, const ClaimFacts &facts, bool named,
                       std::int64_t now)
{
    if (named || claims.has_older({facts.payer, facts.binding}, now)) {
        return VerifyNeed::verify;
    }
    return claims.may_settle_unverified(facts.client, now)
               ? VerifyNeed::none
               : VerifyNeed::verify_for_room;
}

bool may_serve_unverified(ClaimTable &claims, const ClaimFacts &facts,
                          bool named, VerifyMode mode, std::int64_t now)
{
    return mode != VerifyMode::remote
           && (mode != VerifyMode::trusted
               || (claims.settled_lately(facts)
                   && !claims.settles_first(facts.payer, now)))
           && claims.may_serve_unverified(facts.client, now)
           && verify_need(claims, facts, named, now) == VerifyNeed::none;
}

PaymentEvent verified_event(bool trusted, bool settles_before, bool upto)
{
    if (trusted && !settles_before) {
        return PaymentEvent::verify_valid;
    }
    return upto && !settles_before ? PaymentEvent::verify_failed
                                   : PaymentEvent::verify_settle_first;
}

PaymentEvent end_event(PaymentState state, const RequestEnd &end)
{
    bool released =
        state == PaymentState::delivering || state == PaymentState::delivered;
    return released && !end.complete && !end.client_left
               ? PaymentEvent::content_broken
               : PaymentEvent::request_gone;
}

}  // namespace x402
