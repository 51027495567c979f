// SPDX-License-Identifier: Apache-2.0
#include "base/header_syntax.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace x402 {

namespace {

constexpr std::uint8_t kToken = 1;
constexpr std::uint8_t kControl = 2;

struct Table {
    std::uint8_t kinds[256] = {};

    constexpr Table()
    {
        for (int code = 0; code < 256; code++) {
            bool letter =
                (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
            bool digit = code >= '0' && code <= '9';
            bool control = (code < 0x20 && code != '\t') || code == 0x7f;
            kinds[code] = letter || digit ? kToken : control ? kControl : 0;
        }
        for (char byte : std::string_view("!#$%&'*+-.^_`|~")) {
            kinds[static_cast<unsigned char>(byte)] = kToken;
        }
    }
};

constexpr Table kTable;

// Whether eight bytes are without a control character, also without a tab. With
// its highest bit set no byte borrows from, or carries into, the next one.
bool are_printable(const char *eight)
{
    constexpr std::uint64_t kEach = 0x0101010101010101;
    constexpr std::uint64_t kHighest = kEach * 0x80;

    std::uint64_t word;
    std::memcpy(&word, eight, sizeof(word));
    std::uint64_t not_low = (word | kHighest) - kEach * 0x20;
    std::uint64_t rest_of_del = word ^ kEach * 0x7f;
    std::uint64_t not_del =
        ((rest_of_del & ~kHighest) + kEach * 0x7f) | rest_of_del;
    return (((not_low | word) & not_del) & kHighest) == kHighest;
}

char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a')
                                      : byte;
}

// The part in front of the mark, which goes with it.
std::string_view take_part(std::string_view &rest, char mark)
{
    std::size_t end = std::min(rest.find(mark), rest.size());
    std::string_view part = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
}

// "q=0", "q=0.00" and the like, among the parameters of a media range.
bool is_unwanted(std::string_view parameters)
{
    while (!parameters.empty()) {
        std::string_view value = take_part(parameters, ';');
        if (same_word(trimmed(take_part(value, '=')), "q")) {
            return trimmed(value).find_first_not_of("0.")
                   == std::string_view::npos;
        }
    }
    return false;
}

}  // namespace

bool names_type(std::string_view accept, std::string_view type)
{
    std::string_view kind = type.substr(0, type.find('/'));
    while (!accept.empty()) {
        std::string_view parameters = take_part(accept, ',');
        std::string_view range = take_part(parameters, ';');
        std::size_t slash = range.find('/');
        bool is_kind = slash != std::string_view::npos
                       && range.substr(slash) == "/*"
                       && same_word(range.substr(0, slash), kind);
        if ((same_word(range, type) || is_kind) && !is_unwanted(parameters)) {
            return true;
        }
    }
    return false;
}

std::string_view trimmed(std::string_view text, std::string_view blanks)
{
    std::size_t first = text.find_first_not_of(blanks);
    return first == std::string_view::npos
               ? std::string_view()
               : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool same_word(std::string_view one, std::string_view other)
{
    return one.size() == other.size()
           && std::equal(one.begin(), one.end(), other.begin(),
                         [](char a, char b) { return lower(a) == lower(b); });
}

bool is_token(std::string_view text)
{
    std::uint8_t all = kToken;
    for (char byte : text) {
        all &= kTable.kinds[static_cast<unsigned char>(byte)];
    }
    return all != 0 && !text.empty();
}

bool has_control(std::string_view text)
{
    while (text.size() >= 8 && are_printable(text.data())) {
        text.remove_prefix(8);
    }
    std::uint8_t any = 0;
    for (char byte : text) {
        any |= kTable.kinds[static_cast<unsigned char>(byte)];
    }
    return (any & kControl) != 0;
}

}  // namespace x402
