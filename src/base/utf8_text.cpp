// SPDX-License-Identifier: Apache-2.0
#include "base/utf8_text.hpp"

#include <cstdint>

namespace x402 {

// The second byte's range excludes overlong forms, surrogates and code points
// above U+10FFFF (Unicode table 3-7).
std::size_t utf8_sequence_length(std::string_view text)
{
    auto byte = [text](std::size_t index) {
        return static_cast<std::uint8_t>(text[index]);
    };
    std::uint8_t lead = byte(0);
    std::size_t length = 0;
    std::uint8_t low = 0x80;
    std::uint8_t high = 0xbf;

    if (lead >= 0xc2 && lead <= 0xdf) {
        length = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        length = 3;
        low = lead == 0xe0 ? 0xa0 : low;
        high = lead == 0xed ? 0x9f : high;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        length = 4;
        low = lead == 0xf0 ? 0x90 : low;
        high = lead == 0xf4 ? 0x8f : high;
    }
    if (length == 0 || text.size() < length || byte(1) < low
        || byte(1) > high) {
        return 0;
    }
    for (std::size_t index = 2; index < length; ++index) {
        if ((byte(index) & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

std::string shown_name(std::string_view text)
{
    std::string out;
    while (!text.empty()) {
        auto code = static_cast<unsigned char>(text[0]);
        std::size_t length = code < 0x80 ? 1 : utf8_sequence_length(text);
        if (length == 0) {
            out += kReplacement;
            length = 1;
        } else if (code < 0x20 || code == 0x7f) {
            out += ' ';
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(length);
    }
    return out;
}

}  // namespace x402
