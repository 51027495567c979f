// SPDX-License-Identifier: Apache-2.0
// A line of the ledger as a message to a webhook: the headers of a POST whose
// body is the line without its end. Signed as "Standard Webhooks" describes it,
// for which receivers have libraries: base64 of HMAC-SHA256 over
// "id.timestamp.body".
#ifndef X402_PROTOCOL_WEBHOOK_MESSAGE_HPP
#define X402_PROTOCOL_WEBHOOK_MESSAGE_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret_memory.hpp"

namespace x402 {

// The key in a secret's file: "whsec_" and base64, or any other text as it is.
// Problem: empty, shorter than 16 bytes, or not base64.
Result<SecretText> read_webhook_secret(std::string_view text);

// The payment id of a line as ledger_line() writes it; empty: a token's.
std::string_view payment_of_line(std::string_view line);

// Whole header lines without line ends. `secret` empty: no signature.
// Idempotency-Key is the payment's id; webhook-id names this one event and is
// the same each time that it is sent.
std::vector<std::string> webhook_headers(std::string_view secret,
                                         std::string_view line,
                                         std::int64_t unix_seconds);

}  // namespace x402

#endif
