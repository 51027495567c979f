// SPDX-License-Identifier: Apache-2.0
// UTF-8 of texts that may be anything else: what clients send, and names that
// an operator wrote in another encoding.
#ifndef X402_BASE_UTF8_TEXT_HPP
#define X402_BASE_UTF8_TEXT_HPP

#include <cstddef>
#include <string>
#include <string_view>

namespace x402 {

// U+FFFD: what stands for bytes that are not UTF-8.
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// Length of the well-formed sequence of two or more bytes at the front of a
// text that is not empty; 0: there is none.
std::size_t utf8_sequence_length(std::string_view text);

// A name as readers see it: valid UTF-8 without control characters, so that
// names that look the same are the same. Control characters become spaces.
std::string shown_name(std::string_view text);

}  // namespace x402

#endif
