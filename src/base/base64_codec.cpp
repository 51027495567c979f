// SPDX-License-Identifier: Apache-2.0
#include "base/base64_codec.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace x402 {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Below the 24 bits of a group, which are the upper ones of a word, so that
// many can be collected and checked at once.
constexpr std::uint32_t kNoSymbol = 0x000000ff;

using SymbolBits = std::array<std::array<std::uint32_t, 256>, 4>;

// The bits of a symbol at each of the four places of a group: to look them up
// takes half the instructions of shifting them there.
constexpr SymbolBits make_symbol_bits()
{
    SymbolBits bits{};
    for (std::size_t place = 0; place < bits.size(); ++place) {
        for (std::uint32_t &none : bits[place]) {
            none = kNoSymbol;
        }
        for (std::size_t index = 0; index < kAlphabet.size(); ++index) {
            bits[place][static_cast<unsigned char>(kAlphabet[index])] =
                static_cast<std::uint32_t>(index) << (26 - 6 * place);
        }
    }
    return bits;
}

constexpr SymbolBits kSymbolBits = make_symbol_bits();

// The text without its padding; nullopt if its length or padding cannot be. A
// text without any padding is accepted, because some clients send none.
std::optional<std::string_view> decodable(std::string_view text)
{
    if (!text.empty() && text.back() == '=') {
        if (text.size() % 4 != 0) {
            return std::nullopt;
        }
        text.remove_suffix(1);
        if (text.back() == '=') {
            text.remove_suffix(1);
        }
    }
    return text.size() % 4 == 1 ? std::nullopt
                                : std::optional<std::string_view>(text);
}

std::uint32_t symbol_bits(const char *group, std::size_t place)
{
    return kSymbolBits[place][static_cast<unsigned char>(group[place])];
}

std::uint32_t byte_value(char byte)
{
    return static_cast<unsigned char>(byte);
}

// The symbol for six bits of a word, counted from the left.
char symbol_at(std::uint32_t word, unsigned place)
{
    return kAlphabet[(word >> (26 - 6 * place)) & 0x3f];
}

// Four bytes at once, the upper ones first: compilers make one load, or one
// store, of these.
std::uint32_t word_at(const char *in)
{
    return byte_value(in[0]) << 24 | byte_value(in[1]) << 16
           | byte_value(in[2]) << 8 | byte_value(in[3]);
}

void put_word(char *out, std::uint32_t word)
{
    out[0] = static_cast<char>(word >> 24);
    out[1] = static_cast<char>(word >> 16);
    out[2] = static_cast<char>(word >> 8);
    out[3] = static_cast<char>(word);
}

}  // namespace

std::string base64_encode(std::string_view bytes)
{
    std::string text;
    append_base64(text, bytes);
    return text;
}

void append_base64(std::string &text, std::string_view bytes)
{
    std::size_t begin = text.size();
    text.resize(begin + base64_length(bytes.size()));
    write_base64(text.data() + begin, bytes);
}

char *write_base64(char *out, std::string_view bytes)
{
    const char *in = bytes.data();
    std::size_t rest = bytes.size();
    // The fourth byte belongs to the next group.
    for (; rest > 3; rest -= 3, in += 3, out += 4) {
        std::uint32_t word = word_at(in);
        out[0] = symbol_at(word, 0);
        out[1] = symbol_at(word, 1);
        out[2] = symbol_at(word, 2);
        out[3] = symbol_at(word, 3);
    }
    if (rest > 0) {
        std::uint32_t word = byte_value(in[0]) << 24;
        word |= rest > 1 ? byte_value(in[1]) << 16 : 0;
        word |= rest > 2 ? byte_value(in[2]) << 8 : 0;
        out[0] = symbol_at(word, 0);
        out[1] = symbol_at(word, 1);
        out[2] = rest > 1 ? symbol_at(word, 2) : '=';
        out[3] = rest > 2 ? symbol_at(word, 3) : '=';
        out += 4;
    }
    return out;
}

namespace {

// A group is written as four bytes; the next one covers the fourth.
std::size_t room_of(std::size_t symbols)
{
    return (symbols + 3) / 4 * 3 + 1;
}

// nullptr: there is another symbol.
char *write_bytes(char *out, std::string_view symbols)
{
    std::uint32_t seen = 0;
    const char *in = symbols.data();
    std::size_t rest = symbols.size();
    for (; rest >= 4; rest -= 4, in += 4, out += 3) {
        std::uint32_t group = symbol_bits(in, 0) | symbol_bits(in, 1)
                              | symbol_bits(in, 2) | symbol_bits(in, 3);
        seen |= group;
        put_word(out, group);
    }
    if (rest > 0) {
        std::uint32_t group = symbol_bits(in, 0) | symbol_bits(in, 1)
                              | (rest > 2 ? symbol_bits(in, 2) : 0);
        seen |= group;
        put_word(out, group);
        out += rest - 1;
    }
    return (seen & kNoSymbol) != 0 ? nullptr : out;
}

}  // namespace

std::optional<std::string> base64_decode(std::string_view text)
{
    std::optional<std::string_view> symbols = decodable(text);
    if (!symbols) {
        return std::nullopt;
    }
    std::string bytes(room_of(symbols->size()), '\0');
    const char *end = write_bytes(bytes.data(), *symbols);
    if (end == nullptr) {
        return std::nullopt;
    }
    bytes.resize(static_cast<std::size_t>(end - bytes.data()));
    return bytes;
}

bool base64_decode(std::string_view text, SecretText &out)
{
    out.clear();
    std::optional<std::string_view> symbols = decodable(text);
    if (!symbols) {
        return false;
    }
    out.resize(room_of(symbols->size()));
    const char *end = write_bytes(out.data(), *symbols);
    out.resize(end ? static_cast<std::size_t>(end - out.data()) : 0);
    return end != nullptr;
}

std::string base64url_encode(std::string_view bytes)
{
    std::string out = base64_encode(bytes);
    while (!out.empty() && out.back() == '=') {
        out.pop_back();
    }
    for (char &symbol : out) {
        symbol = symbol == '+' ? '-' : symbol == '/' ? '_' : symbol;
    }
    return out;
}

std::optional<std::string> base64url_decode(std::string_view text)
{
    if (text.find_first_of("+/") != std::string_view::npos) {
        return std::nullopt;
    }
    std::string standard(text);
    for (char &symbol : standard) {
        symbol = symbol == '-' ? '+' : symbol == '_' ? '/' : symbol;
    }
    return base64_decode(standard);
}

}  // namespace x402
