#include "base/json_limits.hpp"

#include <algorithm>

namespace x402 {

namespace {

// Where the string ends that begins at `index`: the place of its quote, or the
// end of the text. Looks at no byte more often than twice.
std::size_t end_of_string(std::string_view text, std::size_t index)
{
    std::size_t end = std::min(text.find('"', index), text.size());
    for (;;) {
        std::size_t escape = text.substr(index, end - index).find('\\');
        if (escape == std::string_view::npos) {
            return end;
        }
        // Whatever is escaped, a quote too, ends nothing.
        index = std::min(index + escape + 2, text.size());
        if (index > end) {
            end = std::min(text.find('"', index), text.size());
        }
    }
}

// What the four hexadecimal digits at `index` name.
unsigned code_unit(std::string_view text, std::size_t index)
{
    unsigned unit = 0;
    for (char digit : text.substr(std::min(index, text.size()), 4)) {
        auto byte = static_cast<unsigned char>(digit);
        unsigned low = byte - '0';
        unsigned value = low < 10 ? low : (byte | 0x20u) - 'a' + 10;
        unit = unit * 16 + (value & 15);
    }
    return unit;
}

// Bytes of UTF-8 that the raw inside of a string becomes.
std::size_t decoded_bytes(std::string_view raw)
{
    std::size_t bytes = raw.size();
    std::size_t index = 0;
    while ((index = raw.find('\\', index)) != std::string_view::npos) {
        if (raw.substr(index + 1, 1) != "u") {
            bytes -= 1;
            index += 2;
            continue;
        }
        unsigned unit = code_unit(raw, index + 2);
        bool pair = unit >= 0xd800 && unit < 0xdc00;
        std::size_t becomes = unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
        bytes = bytes - (pair ? 12 : 6) + (pair ? 4 : becomes);
        index += pair ? 12 : 6;
    }
    return bytes;
}

}  // namespace

std::size_t json_string_bytes(std::string_view text)
{
    std::size_t bytes = 0;
    std::size_t index = 0;
    while ((index = text.find('"', index)) != std::string_view::npos) {
        std::size_t end = end_of_string(text, index + 1);
        bytes += decoded_bytes(text.substr(index + 1, end - index - 1));
        index = end + 1;
    }
    return bytes;
}

Result<bool> within_limits(std::string_view text, const JsonLimits &limits)
{
    std::size_t depth = 0;
    std::size_t keys = 0;
    std::size_t values = 1;

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
            ++depth;
            ++values;
        } else if ((character == '}' || character == ']') && depth > 0) {
            --depth;
        } else if (character == ':') {
            ++keys;
        } else if (character == ',') {
            ++values;
        }
        if (depth > limits.depth) {
            return Problem{"nested deeper than " + std::to_string(limits.depth)
                           + " levels"};
        }
        if (keys > limits.keys) {
            return Problem{"more than " + std::to_string(limits.keys)
                           + " members"};
        }
        if (values > limits.values) {
            return Problem{"more than " + std::to_string(limits.values)
                           + " values"};
        }
    }
    return true;
}

}  // namespace x402
