// SPDX-License-Identifier: Apache-2.0
#include "base/text_excerpt.hpp"

namespace x402 {

std::string log_excerpt(const std::string &text, std::size_t limit)
{
    std::string out;
    bool blank = false;
    for (char byte : text) {
        unsigned char code = static_cast<unsigned char>(byte);
        if (code <= 0x20) {
            blank = !out.empty();
            continue;
        }
        if (out.size() + (blank ? 1 : 0) >= limit) {
            return out + "...";
        }
        if (blank) {
            out += ' ';
            blank = false;
        }
        out += byte == '"' ? '\'' : code < 0x7f ? byte : '?';
    }
    return out;
}

std::string header_excerpt(const std::string &text, std::size_t limit)
{
    constexpr std::string_view kUnfit = "'`\\<>&";
    std::string out = log_excerpt(text, limit);
    for (char &byte : out) {
        if (kUnfit.find(byte) != std::string_view::npos) {
            byte = '?';
        }
    }
    return out;
}

std::string exact_excerpt(std::string_view text, std::size_t limit)
{
    constexpr std::string_view kUnfit = "\"'`\\<>&";
    std::string out(text.substr(0, limit));
    for (char &byte : out) {
        if (byte < ' ' || byte > '~'
            || kUnfit.find(byte) != std::string_view::npos) {
            byte = '?';
        }
    }
    return text.size() > limit ? out + "..." : out;
}

}  // namespace x402
