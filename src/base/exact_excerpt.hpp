// SPDX-License-Identifier: Apache-2.0
// A text of a client's that decides about a price, made fit for a variable.
#ifndef X402_BASE_EXACT_EXCERPT_HPP
#define X402_BASE_EXACT_EXCERPT_HPP

#include <string>
#include <string_view>

namespace x402 {

// In the letters of header_excerpt(), but a byte for each byte: no space is
// left out, and a control character is `?`, so that a text is never made equal
// to another one that has neither. "..." is behind one that is longer.
std::string exact_excerpt(std::string_view text, std::size_t limit);

}  // namespace x402

#endif
