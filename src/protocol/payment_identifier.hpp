// SPDX-License-Identifier: Apache-2.0
// Extension payment-identifier (x402 v2): a name that the client gives to a
// purchase that it wants to pay once, even if it repeats the request. Read
// here; session/payment_ids remembers which payer used which name.
#ifndef X402_PROTOCOL_PAYMENT_IDENTIFIER_HPP
#define X402_PROTOCOL_PAYMENT_IDENTIFIER_HPP

#include <string_view>

#include "base/json_document.hpp"

namespace x402 {

constexpr std::string_view kPaymentIdentifier = "payment-identifier";

// 16 to 128 letters, digits, `_` and `-`.
bool is_payment_identifier(std::string_view text);

struct PaymentIdentifier {
    enum class Kind {
        absent,   // the client sent no name
        invalid,  // the client sent an invalid name
        named,
    };
    Kind kind = Kind::absent;
    // Lifetime: the payment's document. Empty unless named.
    std::string_view id;
};

// `extensions` is that member of a payment; anything, also nothing.
PaymentIdentifier read_payment_identifier(JsonValue extensions);

// Whether the operator's declaration requires a name for every payment.
bool requires_payment_identifier(JsonValue declaration);

}  // namespace x402

#endif
