// SPDX-License-Identifier: Apache-2.0
// HTML with text from outside: text is escaped, and an operator's page is cut
// at its variables.
#ifndef X402_PROTOCOL_HTML_PAGE_HPP
#define X402_PROTOCOL_HTML_PAGE_HPP

#include <string>
#include <string_view>
#include <vector>

namespace x402 {

// Appends `text` so that it is plain text between tags and in a quoted
// attribute: & < > " ' as references, control characters as U+FFFD.
void append_html(std::string &out, std::string_view text);

struct PagePart {
    std::string text;      // HTML as the operator wrote it
    std::string variable;  // the variable after it; empty: none
};

// A page cut at `$name` and `${name}`; names are letters, digits and _, and do
// not begin with a digit. Every other `$` is text: `$5`, `$ `, `$(`, `${`.
std::vector<PagePart> parse_page(std::string_view page);

}  // namespace x402

#endif
