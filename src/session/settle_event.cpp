// SPDX-License-Identifier: Apache-2.0
#include "session/settle_event.hpp"

namespace x402 {

namespace {

PaymentEvent event_again(SettleVerdict verdict, const PriorSettle &prior)
{
    if (verdict == SettleVerdict::paid) {
        return PaymentEvent::settle_paid;
    }
    bool unproven = verdict == SettleVerdict::nonce_used && prior.was_verified
                    && prior.first_settle_sent;
    return unproven ? PaymentEvent::settle_unproven
                    : PaymentEvent::settle_unknown;
}

}  // namespace

PaymentEvent settle_event(SettleVerdict verdict, const PriorSettle &prior)
{
    if (prior.ever_unknown) {
        return event_again(verdict, prior);
    }
    switch (verdict) {
    case SettleVerdict::paid:
        return PaymentEvent::settle_paid;
    case SettleVerdict::refused:
    case SettleVerdict::nonce_used:
        return PaymentEvent::settle_refused;
    case SettleVerdict::operator_fault:
    case SettleVerdict::rate_limited:
    case SettleVerdict::not_sent:
        return PaymentEvent::settle_not_processed;
    case SettleVerdict::pending:
    case SettleVerdict::unknown:
        break;
    }
    return PaymentEvent::settle_unknown;
}

}  // namespace x402
