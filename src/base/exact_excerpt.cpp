// SPDX-License-Identifier: Apache-2.0
#include "base/exact_excerpt.hpp"

namespace x402 {

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
