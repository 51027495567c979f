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

Result<PaymentPayload> decode_payment_header(std::string_view header_value,
                                             unsigned version)
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

    // x402, PaymentPayload: x402Version is a number. Each version has a header
    // of its own; what comes in the wrong one is not guessed at.
    JsonValue written = document->root()["x402Version"];
    if (written.integer() != std::int64_t{version}) {
        return unsupported_version(written);
    }
    PaymentPayload payload;
    payload.version = version;
    payload.text = std::move(*text);
    payload.document = std::move(document.value());
    return payload;
}

}  // namespace x402
