// SPDX-License-Identifier: Apache-2.0
#include "session/settle_event.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

TEST(SettleEvent, OfAFirstSettle)
{
    const std::pair<SettleVerdict, PaymentEvent> kCases[] = {
        {SettleVerdict::paid, PaymentEvent::settle_paid},
        {SettleVerdict::refused, PaymentEvent::settle_refused},
        {SettleVerdict::nonce_used, PaymentEvent::settle_refused},
        {SettleVerdict::operator_fault, PaymentEvent::settle_not_processed},
        {SettleVerdict::rate_limited, PaymentEvent::settle_not_processed},
        {SettleVerdict::not_sent, PaymentEvent::settle_not_processed},
        {SettleVerdict::pending, PaymentEvent::settle_unknown},
        {SettleVerdict::unknown, PaymentEvent::settle_unknown},
    };
    for (const auto &[verdict, event] : kCases) {
        EXPECT_EQ(settle_event(verdict, {}), event);
    }
}

TEST(SettleEvent, NoRefusalCountsOnceTheOutcomeWasUnknown)
{
    for (SettleVerdict verdict :
         {SettleVerdict::refused, SettleVerdict::nonce_used,
          SettleVerdict::operator_fault, SettleVerdict::rate_limited,
          SettleVerdict::not_sent, SettleVerdict::pending,
          SettleVerdict::unknown}) {
        EXPECT_EQ(settle_event(verdict, {true, false, false}),
                  PaymentEvent::settle_unknown);
    }
    EXPECT_EQ(settle_event(SettleVerdict::paid, {true, false, false}),
              PaymentEvent::settle_paid);
}

TEST(SettleEvent, IsUnprovenForAVerifiedPaymentThatWasSentAlone)
{
    SettleVerdict used = SettleVerdict::nonce_used;
    EXPECT_EQ(settle_event(used, {true, true, true}),
              PaymentEvent::settle_unproven);
    EXPECT_EQ(settle_event(used, {true, true, false}),
              PaymentEvent::settle_unknown);
    EXPECT_EQ(settle_event(used, {true, false, true}),
              PaymentEvent::settle_unknown);
    EXPECT_EQ(settle_event(SettleVerdict::refused, {true, true, true}),
              PaymentEvent::settle_unknown);
}

}  // namespace
}  // namespace x402
