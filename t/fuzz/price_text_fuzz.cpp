// SPDX-License-Identifier: Apache-2.0
#include "policy/price_text.hpp"

#include <algorithm>
#include <string>

#include "base/decimal_amount.hpp"
#include "fuzz_check.hpp"

using namespace x402;

namespace {

// Decimal text times 10^decimals by moving the point in the text.
std::string moved_point(std::string_view number, unsigned decimals)
{
    std::size_t point = std::min(number.find('.'), number.size());
    std::string digits(number.substr(0, point));
    std::string fraction(point < number.size() ? number.substr(point + 1) : "");
    fraction.resize(std::max<std::size_t>(fraction.size(), decimals), '0');
    must(fraction.find_first_not_of('0', decimals) == std::string::npos,
         "no digit is lost");
    digits += fraction.substr(0, decimals);
    std::size_t first = digits.find_first_not_of('0');
    return first == std::string::npos ? "0" : digits.substr(first);
}

void check_amount(std::string_view number)
{
    for (unsigned decimals : {0u, 6u, 18u}) {
        auto amount = to_atomic_amount(number, decimals);
        if (!amount) {
            continue;
        }
        must(is_atomic_amount(amount.value()), "an amount is one");
        must(amount.value() == moved_point(number, decimals),
             "an amount is the price");
        must(amount.value() != "0" || number == "0",
             "nothing is asked only where plain 0 is written");
    }
}

// All that was written but blanks, dollar signs and the word for dollars.
std::string bare(std::string_view text)
{
    std::string out;
    for (char byte : text) {
        if (std::string_view(" \t\r\n$").find(byte) == std::string_view::npos) {
            out += byte;
        }
    }
    return out;
}

void check_parts(std::string_view text, const PriceText &price)
{
    std::string parsed = std::string(price.number) + std::string(price.symbol);
    std::string all = bare(text);
    if (price.symbol.empty() && all.size() == parsed.size() + 3) {
        for (char &byte : all) {
            byte = byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20)
                                              : byte;
        }
        parsed += "usd";
    }
    must(all == parsed, "nothing that was written is left out");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    std::string_view text = text_of(data, size);
    auto price = parse_price_text(text);
    check_amount(text);
    if (!price) {
        must(!price.problem().text.empty(), "a refusal says why");
        return 0;
    }
    std::string_view number = price->number;
    std::string_view symbol = price->symbol;
    must(!has_variable(text), "a price holds no variable");
    must(number.data() >= text.data()
             && number.data() + number.size() <= text.data() + text.size(),
         "the number is part of the text");
    must(!number.empty()
             && number.find_first_not_of("0123456789.")
                    == std::string_view::npos
             && std::count(number.begin(), number.end(), '.') <= 1,
         "the number is digits and at most one point");
    check_amount(number);
    check_parts(text, price.value());

    std::string again = std::string(number);
    again += symbol.empty() ? "" : " " + std::string(symbol);
    auto reread = parse_price_text(again);
    must(reread.ok() && reread->number == number && reread->symbol == symbol,
         "a price is read the same when it is written plainly");
    return 0;
}
