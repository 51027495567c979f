// SPDX-License-Identifier: Apache-2.0
#include "protocol/html_page.hpp"

namespace x402 {

namespace {

bool is_name_letter(char letter, bool first)
{
    bool alphabetic = (letter >= 'a' && letter <= 'z')
                      || (letter >= 'A' && letter <= 'Z') || letter == '_';
    return alphabetic || (!first && letter >= '0' && letter <= '9');
}

std::string_view name_at(std::string_view text)
{
    std::size_t length = 0;
    while (length < text.size() && is_name_letter(text[length], length == 0)) {
        ++length;
    }
    return text.substr(0, length);
}

bool is_control(char letter)
{
    auto byte = static_cast<unsigned char>(letter);
    return (byte < 0x20 && letter != '\t' && letter != '\n') || byte == 0x7f;
}

// What stands for a character; empty: the character itself.
std::string_view reference_of(char letter)
{
    switch (letter) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return is_control(letter) ? "\xef\xbf\xbd" : std::string_view();
    }
}

}  // namespace

void append_html(std::string &out, std::string_view text)
{
    std::size_t copied = 0;
    for (std::size_t index = 0; index < text.size(); ++index) {
        std::string_view reference = reference_of(text[index]);
        if (reference.empty()) {
            continue;
        }
        out.append(text.substr(copied, index - copied)).append(reference);
        copied = index + 1;
    }
    out.append(text.substr(copied));
}

std::vector<PagePart> parse_page(std::string_view page)
{
    std::vector<PagePart> parts(1);
    while (!page.empty()) {
        std::size_t dollar = page.find('$');
        parts.back().text += page.substr(0, dollar);
        if (dollar == std::string_view::npos) {
            break;
        }
        page.remove_prefix(dollar + 1);
        bool braced = !page.empty() && page[0] == '{';
        std::string_view name = name_at(page.substr(braced ? 1 : 0));
        std::size_t length = name.size() + (braced ? 2 : 0);
        if (name.empty()
            || (braced && (page.size() < length || page[length - 1] != '}'))) {
            parts.back().text += "$";
            continue;
        }
        parts.back().variable = name;
        page.remove_prefix(length);
        parts.emplace_back();
    }
    return parts;
}

}  // namespace x402
