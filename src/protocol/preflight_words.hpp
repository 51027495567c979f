// What a CORS preflight is told about request headers (Fetch standard).
#ifndef X402_PROTOCOL_PREFLIGHT_WORDS_HPP
#define X402_PROTOCOL_PREFLIGHT_WORDS_HPP

#include <string>
#include <string_view>

namespace x402 {

// RFC 9110, 5.6.2: one or more of its letters.
bool is_http_token(std::string_view text);

// The names clients of x402 send, and what the preflight asks for beside them.
// `asked` is echoed only when all of it is a list of tokens, and a short one:
// what is not is left out as a whole.
std::string allowed_header_names(std::string_view asked);

}  // namespace x402

#endif
