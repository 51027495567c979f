// SPDX-License-Identifier: Apache-2.0
#include "policy/price_text.hpp"

#include <algorithm>
#include <cstddef>

namespace x402 {

namespace {

bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

bool is_letter(char character)
{
    return (character >= 'a' && character <= 'z')
           || (character >= 'A' && character <= 'Z');
}

bool is_blank(char character)
{
    return std::string_view(" \t\r\n").find(character)
           != std::string_view::npos;
}

void skip_blanks(std::string_view &text)
{
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
}

void trim(std::string_view &text)
{
    skip_blanks(text);
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
}

// `[0-9]+(\.[0-9]+)?` taken from the front; empty: there is none.
std::string_view take_number(std::string_view &text)
{
    auto digits_at = [&text](std::size_t begin) {
        std::size_t end = begin;
        while (end < text.size() && is_digit(text[end])) {
            ++end;
        }
        return end;
    };
    std::size_t end = digits_at(0);
    if (end > 0 && end + 1 < text.size() && text[end] == '.') {
        std::size_t fraction_end = digits_at(end + 1);
        end = fraction_end > end + 1 ? fraction_end : end;
    }
    std::string_view number = text.substr(0, end);
    text.remove_prefix(end);
    return number;
}

bool is_ticker(std::string_view text)
{
    return !text.empty() && is_letter(text.front())
           && std::all_of(text.begin(), text.end(), [](char character) {
                  return is_letter(character) || is_digit(character)
                         || character == '.';
              });
}

bool means_dollars(std::string_view ticker)
{
    return ticker.size() == 3 && (ticker[0] | 0x20) == 'u'
           && (ticker[1] | 0x20) == 's' && (ticker[2] | 0x20) == 'd';
}

// USDC, USDT, PYUSD: a token that is worth a dollar says so in its name.
bool names_dollars(std::string_view ticker)
{
    std::string letters(ticker);
    std::transform(
        letters.begin(), letters.end(), letters.begin(),
        [](char letter) { return static_cast<char>(letter & ~0x20); });
    return letters.find("USD") != std::string::npos;
}

Problem unreadable(std::string_view text, const char *advice)
{
    std::string sentence = "price \"";
    sentence.append(text);
    sentence.append("\" ");
    sentence.append(advice);
    return Problem{std::move(sentence)};
}

// The error of a price that does not begin with a number.
Problem no_number(std::string_view text, std::string_view rest)
{
    if (rest.empty()) {
        return unreadable(text, "is empty: write an amount, like 0.01");
    }
    if (rest.front() == '-' || rest.front() == '+') {
        return unreadable(text, "has a sign: write the amount without it");
    }
    if (rest.front() == '.') {
        return unreadable(text, "lacks a digit before the point: write 0.5, "
                                "not .5");
    }
    return unreadable(text, "is not an amount: write 0.01, $0.01 or, with the "
                            "ticker of a token, \"0.01 USDC\"");
}

// The error in the text after the number.
Problem no_ticker(std::string_view text, std::string_view rest)
{
    char next = rest.size() > 1 ? rest[1] : '\0';
    bool sign = next == '-' || next == '+';

    if (rest.front() == ',' || rest.front() == '_' || rest.front() == '\'') {
        return unreadable(text, "has a separator between its digits: write "
                                "1000, not 1,000, and a point before the "
                                "fraction");
    }
    if ((rest.front() == 'e' || rest.front() == 'E')
        && (is_digit(next) || sign)) {
        return unreadable(text, "has an exponent: write all its digits, like "
                                "0.001");
    }
    if (rest == ".") {
        return unreadable(text,
                          "lacks a digit after the point: write 5 or 5.0");
    }
    if (is_ticker(rest)) {
        return unreadable(text, "lacks a blank before its ticker: write "
                                "\"0.01 USDC\"");
    }
    return unreadable(text, "has trailing characters that are not "
                            "a ticker: write 0.01, $0.01 or \"0.01 USDC\"");
}

}  // namespace

Result<PriceText> parse_price_text(std::string_view text)
{
    std::string_view rest = text;
    trim(rest);
    bool dollar_sign = !rest.empty() && rest.front() == '$';
    if (dollar_sign) {
        rest.remove_prefix(1);
        skip_blanks(rest);
    }

    PriceText price;
    price.number = take_number(rest);
    if (price.number.empty()) {
        return no_number(text, rest);
    }
    if (rest.empty()) {
        return price;
    }
    std::string_view ticker = rest;
    skip_blanks(ticker);
    if (ticker.size() == rest.size() || !is_ticker(ticker)) {
        return no_ticker(text, rest);
    }
    if (means_dollars(ticker)) {
        return price;
    }
    if (dollar_sign && !names_dollars(ticker)) {
        return unreadable(text, "names dollars and a token: write $0.01 or "
                                "\"0.01 USDC\"");
    }
    price.symbol = ticker;
    return price;
}

bool has_variable(std::string_view text)
{
    constexpr std::size_t kNone = std::string_view::npos;
    for (std::size_t at = text.find('$'); at != kNone;
         at = text.find('$', at + 1)) {
        char next = at + 1 < text.size() ? text[at + 1] : '\0';
        if (is_letter(next) || next == '_' || next == '{') {
            return true;
        }
    }
    return false;
}

}  // namespace x402
