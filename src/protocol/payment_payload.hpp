// SPDX-License-Identifier: Apache-2.0
// The content of the client's payment header (x402 v2 and v1, PaymentPayload).
#ifndef X402_PROTOCOL_PAYMENT_PAYLOAD_HPP
#define X402_PROTOCOL_PAYMENT_PAYLOAD_HPP

#include <cstddef>
#include <string>
#include <string_view>

#include "base/json_document.hpp"
#include "base/result.hpp"
#include "protocol/payment_offer.hpp"

namespace x402 {

// `error` of the challenge if the header is not a payment at all.
constexpr std::string_view kPaymentRequired = "Payment required";

constexpr std::size_t kMaxPaymentHeaderBytes = 64 * 1024;

// `error` of the challenge for a payment header that cannot be read: its client
// has to write it in another way, and a new payment would not help.
constexpr std::string_view kHeaderTooLong =
    "Unreadable payment header: it is longer than 64 KB";
constexpr std::string_view kHeaderNotBase64 =
    "Unreadable payment header: it is not base64 (RFC 4648, standard alphabet, "
    "no blanks)";
constexpr std::string_view kHeaderNotJson =
    "Unreadable payment header: its base64 is not that of JSON (UTF-8, no NUL, "
    "no repeated members, no more than 32 levels)";
constexpr std::string_view kHeaderRepeated =
    "Unreadable payment header: it is there more than once";
bool is_unreadable(const Problem &problem);
// The same for a payment in the header of another version; both names in
// lower case.
std::string wrong_header_error(std::string_view presented,
                               std::string_view expected);

struct PaymentPayload {
    unsigned version = 2;  // x402Version
    // The decoded JSON text exactly as signed and sent; the facilitator gets
    // these bytes, so that unknown members reach it unchanged.
    std::string text;
    // The parsed text; a number stands for `accepted` if that is an echo.
    JsonDocument document;
    // The option that `accepted` repeats byte for byte; nullptr: not known of
    // any. Lifetime: the offer's.
    const PaymentOffer::Option *echoed = nullptr;

    // The requirement that the client chose; missing in version 1.
    JsonValue accepted() const
    {
        return echoed ? echoed->echo()->root() : document.root()["accepted"];
    }
    // The scheme's own part.
    JsonValue payload() const { return document.root()["payload"]; }
    JsonValue extensions() const { return document.root()["extensions"]; }

    // The client's choice as it wrote it; empty if it is missing. Version
    // 1 has scheme and network next to the payload, and never names an
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

// Problem: the `error` of the 402 that answers it: one of the texts above
// for a value that is not base64 of JSON (a JSON null included), "Unsupported
// x402 version: <v>" for readable JSON that is not of `version` (<v> is the
// compact JSON of the member, `undefined` without one, strings without their
// quotes; at most 32 bytes). Does not depend on `offered`, but an echo of a
// prepared option is not parsed again (payment_offer.hpp). The offer must
// outlive the payload.
Result<PaymentPayload>
decode_payment_header(std::string_view header_value, unsigned version,
                      const PaymentOffer *offered = nullptr);

}  // namespace x402

#endif
