// SPDX-License-Identifier: Apache-2.0
// What a facilitator says of the extensions of a payment, in the response
// header EXTENSION-RESPONSES (x402 v2): for a seller the only sign of why a
// catalogue does not list it. It is for the log, and never reaches a client.
#ifndef X402_FACILITATOR_EXTENSION_RESPONSES_HPP
#define X402_FACILITATOR_EXTENSION_RESPONSES_HPP

#include <string>
#include <string_view>

namespace x402 {

// `value` is base64 of a JSON object with one object for each extension. The
// members status, rejectedReason, reason and code of each, as words for a log
// line: "bazaar status=rejected reason=...". Empty: it cannot be read, or has
// none of them.
std::string extension_response_words(std::string_view value);

}  // namespace x402

#endif
