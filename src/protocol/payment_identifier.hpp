// Extension payment-identifier (x402 v2): a name that the client gives to what
// it wants to pay once, however often it has to ask. Read here; who used which
// name is remembered by session/payment_ids.
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
        absent,   // the client names nothing
        invalid,  // it tried to
        named,
    };
    Kind kind = Kind::absent;
    // Lifetime: the payment's document. Empty unless named.
    std::string_view id;
};

// `extensions` is that member of a payment; anything, also nothing.
PaymentIdentifier read_payment_identifier(JsonValue extensions);

// Whether a declaration of the operator's wants every payment to be named.
bool requires_payment_identifier(JsonValue declaration);

}  // namespace x402

#endif
