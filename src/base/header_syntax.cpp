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

}  // namespace

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
