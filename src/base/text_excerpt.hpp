// SPDX-License-Identifier: Apache-2.0
// Texts from outside, made fit for a log line, a header or a page. Nothing that
// a client or a facilitator wrote leaves the module in another way.
#ifndef X402_BASE_TEXT_EXCERPT_HPP
#define X402_BASE_TEXT_EXCERPT_HPP

#include <string>
#include <string_view>

namespace x402 {

// At most `limit` bytes of a text from outside, with spaces merged and control
// characters replaced: safe for one log line.
std::string log_excerpt(const std::string &text, std::size_t limit = 200);

// The same for a variable, which may go into a header, a quoted log field or a
// page: printable ASCII without quotes, backslash, angle brackets and `&`.
std::string header_excerpt(const std::string &text, std::size_t limit = 200);

// A text of a client's that decides about a price, in the letters of
// header_excerpt(), but a byte for each byte: no space is left out, and a
// control character is `?`, so that a text is never made equal to another one
// that has neither. "..." follows one that is longer.
std::string exact_excerpt(std::string_view text, std::size_t limit);

}  // namespace x402

#endif
