// SPDX-License-Identifier: Apache-2.0
#include "base/json_text.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/utf8_text.hpp"

namespace x402 {

namespace {

constexpr std::array<bool, 256> make_plain()
{
    std::array<bool, 256> plain{};
    for (std::size_t code = 0x20; code < 0x80; ++code) {
        plain[code] = code != '"' && code != '\\';
    }
    return plain;
}

constexpr std::array<bool, 256> kPlain = make_plain();

// The same for eight bytes at once: a subtraction below zero, or a byte equal
// to the pattern, borrows from the highest bit, which plain bytes do not have.
bool are_plain(const char *eight)
{
    constexpr std::uint64_t kEach = 0x0101010101010101;

    std::uint64_t word;
    std::memcpy(&word, eight, sizeof(word));
    std::uint64_t control = word - kEach * 0x20;
    std::uint64_t quote = (word ^ kEach * '"') - kEach;
    std::uint64_t backslash = (word ^ kEach * '\\') - kEach;
    return ((word | control | quote | backslash) & kEach * 0x80) == 0;
}

// The number of characters at the front that need no escape.
std::size_t plain_length(std::string_view text)
{
    std::size_t length = 0;
    while (text.size() - length >= 8 && are_plain(text.data() + length)) {
        length += 8;
    }
    while (length < text.size()
           && kPlain[static_cast<unsigned char>(text[length])]) {
        ++length;
    }
    return length;
}

// The last bytes are looked at twice instead of one by one.
bool is_plain(std::string_view text)
{
    if (text.size() < 8) {
        return plain_length(text) == text.size();
    }
    std::size_t last = text.size() - 8;
    for (std::size_t at = 0; at < last; at += 8) {
        if (!are_plain(text.data() + at)) {
            return false;
        }
    }
    return are_plain(text.data() + last);
}

void append_escaped(std::string &out, char character)
{
    constexpr std::string_view kHexDigits = "0123456789abcdef";
    constexpr std::string_view kSpecial = "\"\\\b\t\n\f\r";
    constexpr std::string_view kEscapes = "\"\\btnfr";

    std::size_t index = kSpecial.find(character);
    if (index != std::string_view::npos) {
        out.push_back('\\');
        out.push_back(kEscapes[index]);
        return;
    }
    auto code = static_cast<unsigned char>(character);
    out.append("\\u00");
    out.push_back(kHexDigits[code >> 4]);
    out.push_back(kHexDigits[code & 0x0f]);
}

struct ShortestDecimal {
    std::string digits;  // no zero at either end
    int point;           // the value is 0.digits times 10^point
};

// The fewest digits that read back as the same double. Uses printf, because
// std::to_chars for doubles requires GCC 11. Only digits and exponent are taken
// from the text, because the decimal point depends on the locale.
ShortestDecimal shortest_decimal(double magnitude)
{
    std::array<char, 40> text;
    for (int precision = 0; precision <= 16; ++precision) {
        std::snprintf(text.data(), text.size(), "%.*e", precision, magnitude);
        if (std::strtod(text.data(), nullptr) == magnitude) {
            break;
        }
    }
    std::string_view written(text.data());
    std::size_t exponent = written.find('e');
    ShortestDecimal decimal;
    for (char character : written.substr(0, exponent)) {
        if (character >= '0' && character <= '9') {
            decimal.digits.push_back(character);
        }
    }
    decimal.point = std::atoi(text.data() + exponent + 1) + 1;
    return decimal;
}

void append_unicode_escape(std::string &out, std::uint32_t unit)
{
    char text[7];
    std::snprintf(text, sizeof(text), "\\u%04x",
                  static_cast<unsigned>(unit & 0xffff));
    out.append(text, 6);
}

// The code point of a well-formed sequence of two to four bytes.
std::uint32_t code_point(std::string_view sequence)
{
    auto lead = static_cast<std::uint8_t>(sequence[0]);
    std::uint32_t code = lead & (0x7fU >> sequence.size());
    for (std::size_t index = 1; index < sequence.size(); ++index) {
        code = code << 6 | (static_cast<std::uint8_t>(sequence[index]) & 0x3f);
    }
    return code;
}

}  // namespace

void append_json_string(std::string &out, std::string_view text)
{
    out.push_back('"');
    while (!text.empty()) {
        std::size_t length = plain_length(text);
        if (length > 0) {
            out.append(text.substr(0, length));
        } else if (static_cast<unsigned char>(text.front()) < 0x80) {
            append_escaped(out, text.front());
            length = 1;
        } else {
            length = utf8_sequence_length(text);
            out.append(length > 0 ? text.substr(0, length) : kReplacement);
            length = length > 0 ? length : 1;
        }
        text.remove_prefix(length);
    }
    out.push_back('"');
}

std::string_view inside_json_string(std::string_view text, std::string &room)
{
    if (is_plain(text)) {
        return text;
    }
    room.clear();
    append_json_string(room, text);
    return std::string_view(room).substr(1, room.size() - 2);
}

void append_json_key(std::string &out, std::string_view key)
{
    if (out.empty() || out.back() != '{') {
        out.push_back(',');
    }
    append_json_string(out, key);
    out.push_back(':');
}

std::string ascii_json(std::string_view json)
{
    std::string out;
    out.reserve(json.size());
    while (!json.empty()) {
        auto first = static_cast<std::uint8_t>(json[0]);
        std::size_t length = first < 0x80 ? 1 : utf8_sequence_length(json);
        if (length == 0) {
            append_unicode_escape(out, 0xfffd);
        } else if (length > 1) {
            std::uint32_t code = code_point(json.substr(0, length));
            if (code > 0xffff) {
                append_unicode_escape(out, 0xd7c0 + (code >> 10));
                code = 0xdc00 + (code & 0x3ff);
            }
            append_unicode_escape(out, code);
        } else if (first < 0x20 || first == 0x7f) {
            append_unicode_escape(out, first);
        } else {
            out.push_back(json[0]);
        }
        json.remove_prefix(length ? length : 1);
    }
    return out;
}

void append_json_number(std::string &out, double number)
{
    // Below 2^53 every integral double has its own integer text.
    constexpr double kExactIntegers = 9007199254740992.0;

    double magnitude = std::fabs(number);
    if (std::signbit(number)) {
        out.push_back('-');
    }
    if (magnitude < kExactIntegers && std::trunc(magnitude) == magnitude) {
        out.append(std::to_string(static_cast<std::int64_t>(magnitude)));
        // Read back, a bare -0 would be the integer 0.
        out.append(std::signbit(number) && magnitude == 0.0 ? ".0" : "");
        return;
    }

    ShortestDecimal decimal = shortest_decimal(magnitude);
    std::string &digits = decimal.digits;
    int count = static_cast<int>(digits.size());
    if (decimal.point > 0 && decimal.point <= count) {
        auto whole = static_cast<std::size_t>(decimal.point);
        out.append(digits, 0, whole);
        if (decimal.point < count) {
            out.push_back('.');
            out.append(digits, whole, std::string::npos);
        }
    } else if (decimal.point > -6 && decimal.point <= 0) {
        out.append("0.");
        out.append(static_cast<std::size_t>(-decimal.point), '0');
        out.append(digits);
    } else {
        out.push_back(digits[0]);
        if (count > 1) {
            out.push_back('.');
            out.append(digits, 1, std::string::npos);
        }
        int exponent = decimal.point - 1;
        out.append(exponent < 0 ? "e-" : "e+");
        out.append(std::to_string(std::abs(exponent)));
    }
}

}  // namespace x402
