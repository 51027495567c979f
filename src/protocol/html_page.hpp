// HTML that others had a hand in: texts are escaped, and a page of the
// operator's is cut at the variables in it.
#ifndef X402_PROTOCOL_HTML_PAGE_HPP
#define X402_PROTOCOL_HTML_PAGE_HPP

#include <string>
#include <string_view>
#include <vector>

namespace x402 {

// Appends `text` so that it is nothing but text between tags and in a quoted
// attribute: & < > " ' as references, control characters as U+FFFD.
void append_html(std::string &out, std::string_view text);

struct PagePart {
    std::string text;      // HTML as the operator wrote it
    std::string variable;  // what follows it; empty: nothing
};

// A page cut at `$name` and `${name}`, names being letters, digits and _, the
// first no digit. Every other `$` is text: `$5`, `$ `, `$(`, `${`.
std::vector<PagePart> parse_page(std::string_view page);

}  // namespace x402

#endif
