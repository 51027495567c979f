// What the client sent in its payment header (x402 v2 and v1, PaymentPayload).
#ifndef X402_PROTOCOL_PAYMENT_PAYLOAD_HPP
#define X402_PROTOCOL_PAYMENT_PAYLOAD_HPP

#include <cstddef>
#include <string>
#include <string_view>

#include "base/json_document.hpp"
#include "base/result.hpp"
#include "protocol/payment_offer.hpp"

namespace x402 {

// `error` of the challenge for what is no payment at all.
constexpr std::string_view kPaymentRequired = "Payment required";

constexpr std::size_t kMaxPaymentHeaderBytes = 64 * 1024;

struct PaymentPayload {
    unsigned version = 2;  // x402Version
    // The decoded JSON text exactly as signed and sent; the facilitator gets
    // these bytes, so that members we do not know reach it untouched.
    std::string text;
    // Of that text; a number stands for `accepted` where there is an echo.
    JsonDocument document;
    // `accepted`, where it is a way of ours word for word. Lifetime: the
    // offer's.
    JsonValue echo;

    // The requirement the client says it meets; not there in version 1.
    JsonValue accepted() const
    {
        return echo.exists() ? echo : document.root()["accepted"];
    }
    // The scheme's own part.
    JsonValue payload() const { return document.root()["payload"]; }
    JsonValue extensions() const { return document.root()["extensions"]; }

    // What the client chose, as it wrote it; empty where it did not say.
    // Version 1 has scheme and network beside the payload, and never names an
    // asset.
    std::string_view scheme() const { return chosen()["scheme"].string(); }
    std::string_view network() const { return chosen()["network"].string(); }
    std::string_view asset() const { return accepted()["asset"].string(); }

private:
    JsonValue chosen() const
    {
        return version == 1 ? document.root() : accepted();
    }
};

// Problem: the `error` of the 402 that answers it: "Payment required" for what
// cannot be read as base64 of JSON (the request counts as unpaid; also for a
// JSON null and for more than 64 KB), "Unsupported x402 version: <v>" for
// readable JSON that is not of `version` (<v> is the compact JSON of the
// member, `undefined` without one, strings without their quotes; at most 32
// bytes). Says the same whatever was `offered`; an echo of a prepared way
// (payment_offer.hpp) is not read again. The offer has to outlive the payload.
Result<PaymentPayload>
decode_payment_header(std::string_view header_value, unsigned version,
                      const PaymentOffer *offered = nullptr);

}  // namespace x402

#endif
