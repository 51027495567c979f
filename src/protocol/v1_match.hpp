// SPDX-License-Identifier: Apache-2.0
// Finds the option that a payment of version 1 means.
#ifndef X402_PROTOCOL_V1_MATCH_HPP
#define X402_PROTOCOL_V1_MATCH_HPP

#include "protocol/dialect.hpp"

namespace x402 {

// What a client is told if no option matches, as the reference says it.
constexpr std::string_view kNoMatchV1 =
    "Unable to find matching payment requirements";

// Version 1 names scheme and network only. If several options have the same
// two, amount and receiver of an EVM authorization decide; otherwise it is the
// first of them, whose facilitator reports what is wrong. nullptr: none.
// Lifetime: the offer's.
const PaymentOffer::Option *match_v1_payment(const Dialect &dialect,
                                             const PaymentOffer &offer,
                                             const PaymentPayload &payload);

}  // namespace x402

#endif
