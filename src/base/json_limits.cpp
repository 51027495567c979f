// SPDX-License-Identifier: Apache-2.0
#include "base/json_limits.hpp"

#include <algorithm>

namespace x402 {

namespace {

// The end of the string that begins at `index`: the position of its closing
// quote, or the end of the text. Reads each byte at most twice.
std::size_t end_of_string(std::string_view text, std::size_t index)
{
    std::size_t end = std::min(text.find('"', index), text.size());
    for (;;) {
        std::size_t escape = text.substr(index, end - index).find('\\');
        if (escape == std::string_view::npos) {
            return end;
        }
        // An escaped character, also a quote, does not end the string.
        index = std::min(index + escape + 2, text.size());
        if (index > end) {
            end = std::min(text.find('"', index), text.size());
        }
    }
}

}  // namespace

Result<JsonCounts> within_limits(std::string_view text,
                                 const JsonLimits &limits)
{
    std::size_t depth = 0;
    JsonCounts counts;

    if (text.size() > limits.bytes) {
        return Problem{"longer than " + std::to_string(limits.bytes)
                       + " bytes"};
    }
    for (std::size_t index = 0; index < text.size(); ++index) {
        char character = text[index];
        if (character == '"') {
            index = end_of_string(text, index + 1);
            continue;
        }
        if (character == '{' || character == '[') {
            counts.depth = std::max(counts.depth, ++depth);
            ++counts.values;
        } else if ((character == '}' || character == ']') && depth > 0) {
            --depth;
        } else if (character == ':') {
            ++counts.keys;
        } else if (character == ',') {
            ++counts.values;
        }
        if (counts.depth > limits.depth) {
            return Problem{"nested deeper than " + std::to_string(limits.depth)
                           + " levels"};
        }
        if (counts.keys > limits.keys) {
            return Problem{"more than " + std::to_string(limits.keys)
                           + " members"};
        }
        if (counts.values > limits.values) {
            return Problem{"more than " + std::to_string(limits.values)
                           + " values"};
        }
    }
    return counts;
}

}  // namespace x402
