// SPDX-License-Identifier: Apache-2.0
// The request headers that a CORS preflight allows (Fetch standard).
#ifndef X402_PROTOCOL_PREFLIGHT_HEADERS_HPP
#define X402_PROTOCOL_PREFLIGHT_HEADERS_HPP

#include <string>
#include <string_view>

namespace x402 {

// The headers that clients of x402 send, and those that the preflight asks for.
// `asked` is repeated only if the whole of it is a short list of tokens;
// otherwise it is left out as a whole.
std::string allowed_header_names(std::string_view asked);

}  // namespace x402

#endif
