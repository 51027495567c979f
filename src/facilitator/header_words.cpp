#include "facilitator/header_words.hpp"

#include <algorithm>

namespace x402 {

namespace {

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

bool is_token_byte(char byte)
{
    char small = lower(byte);
    return (small >= 'a' && small <= 'z') || (byte >= '0' && byte <= '9')
           || byte == '-'
           || (byte != '\0'
               && std::string_view("!#$%&'*+.^_`|~").find(byte)
                      != std::string_view::npos);
}

bool has_control(std::string_view text)
{
    return std::any_of(text.begin(), text.end(), [](char byte) {
        unsigned char code = static_cast<unsigned char>(byte);
        return (code < 0x20 && byte != '\t') || code == 0x7f;
    });
}

}  // namespace x402
