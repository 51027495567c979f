#include "protocol/payment_payload.hpp"

#include <cstddef>
#include <optional>
#include <utility>

#include "base/base64_codec.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMaxShownVersionBytes = 32;

// The reference's words for "nothing here that counts as a payment".
Problem unpaid()
{
    return Problem{std::string(kPaymentRequired)};
}

// `text` or its front, never a part of a UTF-8 sequence.
std::string_view shortened(std::string_view text)
{
    if (text.size() <= kMaxShownVersionBytes) {
        return text;
    }
    std::size_t end = kMaxShownVersionBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
        --end;
    }
    return text.substr(0, end);
}

Problem unsupported_version(JsonValue version)
{
    std::string shown;
    if (!version.exists()) {
        shown = "undefined";
    } else if (version.is_string()) {
        shown = version.string();
    } else {
        version.write(shown);
    }
    return Problem{"Unsupported x402 version: "
                   + std::string(shortened(shown))};
}

}  // namespace

Result<PaymentPayload> decode_payment_signature(std::string_view header_value)
{
    if (header_value.size() > kMaxPaymentHeaderBytes) {
        return unpaid();
    }
    std::optional<std::string> text = base64_decode(header_value);
    if (!text) {
        return unpaid();
    }
    Result<JsonDocument> document = JsonDocument::parse(*text);
    if (!document || document->root().is_null()) {
        return unpaid();
    }

    // x402 v2, PaymentPayload: x402Version is the number 2. A payload of
    // version 1 has its own header and none of our members.
    JsonValue version = document->root()["x402Version"];
    if (version.integer() != 2) {
        return unsupported_version(version);
    }
    PaymentPayload payload;
    payload.text = std::move(*text);
    payload.document = std::move(document.value());
    return payload;
}

}  // namespace x402
