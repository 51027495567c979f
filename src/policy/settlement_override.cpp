// SPDX-License-Identifier: Apache-2.0
#include "policy/settlement_override.hpp"

#include <algorithm>
#include <optional>

#include "base/decimal_amount.hpp"
#include "base/json_document.hpp"
#include "policy/accept_extra.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMostDigits = 78;

bool is_digits(std::string_view text)
{
    return !text.empty() && text.size() <= kMostDigits
           && std::all_of(text.begin(), text.end(), [](char character) {
                  return character >= '0' && character <= '9';
              });
}

std::string without_leading_zeros(std::string_view digits)
{
    std::size_t first = digits.find_first_not_of('0');
    return std::string(first == std::string_view::npos ? "0"
                                                       : digits.substr(first));
}

// Digits of `whole` and `fraction`, the fraction cut or filled to `places`.
std::string shifted(std::string_view whole, std::string_view fraction,
                    std::size_t places)
{
    std::string digits(whole);
    digits.append(fraction.substr(0, places));
    digits.append(places - std::min(fraction.size(), places), '0');
    return without_leading_zeros(digits);
}

// amount x hundredths / 10000, rounded down.
std::string share(std::string_view amount, unsigned hundredths)
{
    constexpr std::size_t kPlaces = 4;
    std::string product;
    unsigned carry = 0;
    for (auto digit = amount.rbegin(); digit != amount.rend(); ++digit) {
        carry += static_cast<unsigned>(*digit - '0') * hundredths;
        product.push_back(static_cast<char>('0' + carry % 10));
        carry /= 10;
    }
    for (; carry > 0; carry /= 10) {
        product.push_back(static_cast<char>('0' + carry % 10));
    }
    std::reverse(product.begin(), product.end());
    return product.size() <= kPlaces
               ? "0"
               : without_leading_zeros(std::string_view(product).substr(
                   0, product.size() - kPlaces));
}

struct Parts {
    std::string_view whole;
    std::string_view fraction;
    bool point = false;
};

Parts split(std::string_view number)
{
    std::size_t point = number.find('.');
    if (point == std::string_view::npos) {
        return {number, {}, false};
    }
    return {number.substr(0, point), number.substr(point + 1), true};
}

Problem malformed(std::string_view text)
{
    return parameter_error(
        "Settlement-Overrides amount", text,
        "is invalid: the upstream must write atomic units, a percentage or "
        "dollars, like \"1000\", \"33.33%\" or "
        "\"$0.05\"");
}

Problem too_much(std::string_view text, std::string_view maximum)
{
    return parameter_error("Settlement-Overrides amount", text,
                           "is more than the maximum that was offered, "
                               + std::string(maximum));
}

Result<std::string> percent_of(std::string_view text, std::string_view maximum)
{
    constexpr unsigned kWhole = 10000;

    Parts parts = split(text.substr(0, text.size() - 1));
    if (!is_digits(parts.whole) || parts.fraction.size() > 2
        || (!parts.fraction.empty() && !is_digits(parts.fraction))) {
        return malformed(text);
    }
    std::string hundredths = shifted(parts.whole, parts.fraction, 2);
    if (compare_atomic_amounts(hundredths, std::to_string(kWhole)) > 0) {
        return too_much(text, maximum);
    }
    unsigned number = 0;
    for (char digit : hundredths) {
        number = number * 10 + static_cast<unsigned>(digit - '0');
    }
    return share(maximum, number);
}

Result<std::string> dollars(std::string_view text,
                            const std::optional<unsigned> &decimals)
{
    Parts parts = split(text.substr(1));
    if (!is_digits(parts.whole)
        || (parts.point && !is_digits(parts.fraction))) {
        return malformed(text);
    }
    if (!decimals) {
        return parameter_error(
            "Settlement-Overrides amount", text,
            "is in dollars, and the decimals of the asset are "
            "not known: write decimals= in x402_accept, or let the upstream "
            "write atomic units");
    }
    return shifted(parts.whole, parts.fraction, *decimals);
}

}  // namespace

Result<std::string> settlement_amount(std::string_view value, std::size_t count,
                                      const PaymentRequirements &requirements)
{
    const std::string &maximum = requirements.amount;
    if (count == 0) {
        return maximum;
    }
    if (count > 1) {
        return Problem{"the upstream has sent several Settlement-Overrides"};
    }
    Result<JsonDocument> document = JsonDocument::parse(value);
    if (!document || document->root().size() != 1
        || !document->root()["amount"].is_string()) {
        return parameter_error("Settlement-Overrides", value,
                               "is not JSON like {\"amount\":\"1000\"}");
    }
    std::string_view text = document->root()["amount"].string();
    bool percent = !text.empty() && text.back() == '%';
    bool dollar = !text.empty() && text.front() == '$';
    Result<std::string> amount = percent ? percent_of(text, maximum)
                                 : dollar
                                     ? dollars(text, requirements.decimals)
                                     : Result<std::string>(std::string(text));
    if (!amount) {
        return amount;
    }
    // Beyond 256 bits is more than any maximum.
    bool beyond = amount->size() >= kMostDigits && dollar
                  && !is_atomic_amount(amount.value());
    if (beyond) {
        return too_much(text, maximum);
    }
    if (!is_atomic_amount(amount.value())) {
        return malformed(text);
    }
    if (compare_atomic_amounts(amount.value(), maximum) > 0) {
        return too_much(text, maximum);
    }
    return amount;
}

}  // namespace x402
