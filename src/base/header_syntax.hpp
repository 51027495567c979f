// SPDX-License-Identifier: Apache-2.0
// The parts of header lines (RFC 9110, 5.5 and 5.6.2), for headers that are
// sent and headers that are read.
#ifndef X402_BASE_HEADER_SYNTAX_HPP
#define X402_BASE_HEADER_SYNTAX_HPP

#include <string_view>

namespace x402 {

// Whether the words are equal, ignoring the case of ASCII letters.
bool same_word(std::string_view one, std::string_view other);

// Without the spaces and tabs at both ends.
inline std::string_view trimmed(std::string_view text)
{
    auto is_blank = [](char byte) { return byte == ' ' || byte == '\t'; };
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}
// Without these bytes at both ends.
std::string_view trimmed(std::string_view text, std::string_view blanks);

// A token (RFC 9110, 5.6.2): not empty, and only bytes that header names may
// contain.
bool is_token(std::string_view text);

// Whether a value of Accept (RFC 9110, 12.5.1) names the type: itself, or as
// `text/*`, and not with q=0. `*/*` names none.
bool names_type(std::string_view accept, std::string_view type);

// A line break, NUL or another control character, except a tab.
bool has_control(std::string_view text);

}  // namespace x402

#endif
