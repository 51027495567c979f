// SPDX-License-Identifier: Apache-2.0
#include "protocol/webhook_message.hpp"

#include "base/base64_codec.hpp"
#include "base/header_syntax.hpp"
#include "base/hex_codec.hpp"
#include "base/sha256_digest.hpp"

namespace x402 {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

constexpr std::string_view kPrefix = "whsec_";
constexpr std::size_t kLeastSecret = 16;
constexpr std::size_t kIdBytes = 16;

std::string_view bytes_of(const Digest &digest)
{
    return {reinterpret_cast<const char *>(digest.data()), digest.size()};
}

}  // namespace

Result<SecretText> read_webhook_secret(std::string_view text)
{
    text = trimmed(text, kBlanks);
    SecretText key;
    if (text.substr(0, kPrefix.size()) != kPrefix) {
        key.append(text);
    } else if (!base64_decode(text.substr(kPrefix.size()), key)) {
        return Problem{"has no base64 behind \"whsec_\""};
    }
    if (key.size() < kLeastSecret) {
        return Problem{"holds no secret of at least 16 bytes"};
    }
    return Result<SecretText>(std::move(key));
}

std::string_view payment_of_line(std::string_view line)
{
    // Only members of the module's own stand before it.
    constexpr std::string_view kMember = "\"payment_id\":\"";
    std::size_t at = line.find(kMember);
    std::size_t resource = line.find("\"resource\":");
    if (at == std::string_view::npos || at > resource) {
        return {};
    }
    at += kMember.size();
    return line.substr(at, line.find('"', at) - at);
}

std::vector<std::string> webhook_headers(std::string_view secret,
                                         std::string_view line,
                                         std::int64_t unix_seconds)
{
    std::string id = "evt_" + hex_encode(sha256(line).data(), kIdBytes);
    std::string time = std::to_string(unix_seconds);
    std::string payment(payment_of_line(line));
    std::vector<std::string> headers = {
        "Idempotency-Key: " + (payment.empty() ? id : payment),
        "webhook-id: " + id,
        "webhook-timestamp: " + time,
    };
    if (!secret.empty()) {
        std::string signed_text = id + "." + time + "." + std::string(line);
        headers.push_back(
            "webhook-signature: v1,"
            + base64_encode(bytes_of(hmac_sha256(secret, signed_text))));
    }
    return headers;
}

}  // namespace x402
