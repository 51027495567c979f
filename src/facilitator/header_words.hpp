// What header lines are made of (RFC 9110, 5.5 and 5.6.2), for those that we
// send and those that we read.
#ifndef X402_FACILITATOR_HEADER_WORDS_HPP
#define X402_FACILITATOR_HEADER_WORDS_HPP

#include <string_view>

namespace x402 {

// The same word, in any case of ASCII letters.
bool same_word(std::string_view one, std::string_view other);

// Not empty, and of the bytes that header names are made of.
bool is_token(std::string_view text);

// A line break, NUL or another control character; a tab is none.
bool has_control(std::string_view text);

}  // namespace x402

#endif
