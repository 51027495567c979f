// SPDX-License-Identifier: Apache-2.0
#include "base/url_path.hpp"

namespace x402 {

namespace {

constexpr std::string_view kDigits = "0123456789ABCDEF";

// pchar and '/', without '%'.
bool is_path_character(char byte)
{
    bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    bool digit = byte >= '0' && byte <= '9';
    constexpr std::string_view kOthers = "/-._~!$&'()*+,;=:@";
    return letter || digit || kOthers.find(byte) != std::string_view::npos;
}

// kDigits.npos: it is not a digit.
std::size_t hex_digit(char byte)
{
    bool small = byte >= 'a' && byte <= 'f';
    return kDigits.find(small ? static_cast<char>(byte - 'a' + 'A') : byte);
}

}  // namespace

std::string url_path(std::string_view decoded)
{
    std::string out;
    for (char byte : decoded) {
        if (is_path_character(byte)) {
            out += byte;
            continue;
        }
        auto code = static_cast<unsigned char>(byte);
        out += '%';
        out += kDigits[code >> 4];
        out += kDigits[code & 15];
    }
    return out;
}

std::string decoded_path(std::string_view path)
{
    std::string out;
    for (std::size_t i = 0; i < path.size(); i++) {
        if (path[i] == '%' && i + 2 < path.size()) {
            std::size_t high = hex_digit(path[i + 1]);
            std::size_t low = hex_digit(path[i + 2]);
            if (high < 16 && low < 16) {
                out += static_cast<char>(high * 16 + low);
                i += 2;
                continue;
            }
        }
        out += path[i];
    }
    return out;
}

}  // namespace x402
