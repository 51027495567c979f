// SPDX-License-Identifier: Apache-2.0
// The names of the states and events of a payment, for logs and tests.
#include "session/payment_session.hpp"

namespace x402 {

const char *state_name(PaymentState state)
{
    constexpr const char *kNames[] = {
        "arrived",   "verifying",      "verified",
        "holding",   "settling",       "settling_first",
        "paid",      "delivering",     "delivered",
        "taking",    "recording",      "recording_first",
        "securing",  "securing_first", "securing_verified",
        "streaming", "charging",       "orphaned",
        "closed",
    };
    static_assert(sizeof(kNames) / sizeof(kNames[0])
                  == static_cast<unsigned>(kLastState) + 1);
    return kNames[static_cast<unsigned>(state)];
}

const char *event_name(PaymentEvent event)
{
    constexpr const char *kNames[] = {
        "claim_taken",          "claim_taken_to_settle",
        "claim_taken_to_serve", "claim_asked",
        "claim_elsewhere",      "claim_unknown_resumed",
        "claim_paid_resumed",   "answered_without_call",
        "verify_valid",         "verify_final",
        "verify_settle_first",  "verify_invalid",
        "verify_failed",        "content_free",
        "content_charged",      "content_trusted",
        "content_failed",       "content_broken",
        "settle_due",           "settle_paid",
        "settle_unproven",      "settle_waived",
        "settle_refused",       "settle_not_processed",
        "settle_unknown",       "recorded",
        "claim_lost",           "body_sent",
        "request_gone",
    };
    static_assert(sizeof(kNames) / sizeof(kNames[0])
                  == static_cast<unsigned>(kLastEvent) + 1);
    return kNames[static_cast<unsigned>(event)];
}

}  // namespace x402
