// What the client sent in PAYMENT-SIGNATURE (x402 v2, PaymentPayload).
#ifndef X402_PROTOCOL_PAYMENT_PAYLOAD_HPP
#define X402_PROTOCOL_PAYMENT_PAYLOAD_HPP

#include <cstddef>
#include <string>
#include <string_view>

#include "base/json_document.hpp"
#include "base/result.hpp"

namespace x402 {

// `error` of the challenge for what is no payment at all.
constexpr std::string_view kPaymentRequired = "Payment required";

constexpr std::size_t kMaxPaymentHeaderBytes = 64 * 1024;

struct PaymentPayload {
    // The decoded JSON text exactly as signed and sent; the facilitator gets
    // these bytes, so that members we do not know reach it untouched.
    std::string text;
    JsonDocument document;

    JsonValue accepted() const { return document.root()["accepted"]; }
    JsonValue payload() const { return document.root()["payload"]; }
    JsonValue extensions() const { return document.root()["extensions"]; }
};

// Problem: the `error` of the 402 that answers it: "Payment required" for what
// cannot be read as base64 of JSON (the request counts as unpaid; also for a
// JSON null and for more than 64 KB), "Unsupported x402 version: <v>" for
// readable JSON that is not version 2 (<v> is the compact JSON of the member,
// `undefined` without one, strings without their quotes; at most 32 bytes).
Result<PaymentPayload> decode_payment_signature(std::string_view header_value);

}  // namespace x402

#endif
