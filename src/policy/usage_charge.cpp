// SPDX-License-Identifier: Apache-2.0
#include "policy/usage_charge.hpp"

#include <algorithm>
#include <optional>

#include "base/decimal_amount.hpp"
#include "base/text_excerpt.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMostDigits = 78;
constexpr std::size_t kMostExponent = 99;

// digits x 10^-places, digits without leading zeros; empty for 0.
struct Decimal {
    std::string digits;
    long places = 0;
};

bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

std::size_t count_digits(std::string_view text)
{
    std::size_t count = 0;
    while (count < text.size() && is_digit(text[count])) {
        count++;
    }
    return count;
}

void drop_leading_zeros(std::string &digits)
{
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
}

// [eE][+-]?[0-9]+ at the end of a number.
std::optional<long> read_exponent(std::string_view text)
{
    if (text.empty()) {
        return 0;
    }
    if (text.front() != 'e' && text.front() != 'E') {
        return std::nullopt;
    }
    text.remove_prefix(1);
    bool minus = !text.empty() && text.front() == '-';
    if (minus || (!text.empty() && text.front() == '+')) {
        text.remove_prefix(1);
    }
    if (text.empty() || text.size() > 3 || count_digits(text) != text.size()) {
        return std::nullopt;
    }
    long value = std::stol(std::string(text));
    if (value > static_cast<long>(kMostExponent)) {
        return std::nullopt;
    }
    return minus ? -value : value;
}

std::optional<Decimal> read_decimal(std::string_view text)
{
    std::size_t whole = count_digits(text);
    Decimal number;
    number.digits = text.substr(0, whole);
    text.remove_prefix(whole);
    if (!text.empty() && text.front() == '.') {
        std::size_t fraction = count_digits(text.substr(1));
        if (fraction == 0) {
            return std::nullopt;
        }
        number.digits += text.substr(1, fraction);
        number.places = static_cast<long>(fraction);
        text.remove_prefix(1 + fraction);
    }
    auto exponent = read_exponent(text);
    if (whole == 0 || number.digits.size() > kMostDigits || !exponent) {
        return std::nullopt;
    }
    number.places -= *exponent;
    drop_leading_zeros(number.digits);
    return number;
}

Decimal product(const Decimal &left, const Decimal &right)
{
    std::string digits(left.digits.size() + right.digits.size(), '\0');
    for (std::size_t i = left.digits.size(); i-- > 0;) {
        int carry = 0;
        for (std::size_t j = right.digits.size(); j-- > 0;) {
            carry += digits[i + j + 1]
                     + (left.digits[i] - '0') * (right.digits[j] - '0');
            digits[i + j + 1] = static_cast<char>(carry % 10);
            carry /= 10;
        }
        digits[i] = static_cast<char>(digits[i] + carry);
    }
    for (char &digit : digits) {
        digit = static_cast<char>(digit + '0');
    }
    drop_leading_zeros(digits);
    return {std::move(digits), left.places + right.places};
}

// The same number with more places.
void set_places(Decimal &number, long places)
{
    number.digits.append(static_cast<std::size_t>(places - number.places), '0');
    number.places = places;
    drop_leading_zeros(number.digits);
}

Decimal sum(Decimal left, Decimal right)
{
    long places = std::max(left.places, right.places);
    set_places(left, places);
    set_places(right, places);
    std::size_t size = std::max(left.digits.size(), right.digits.size()) + 1;
    left.digits.insert(0, size - left.digits.size(), '0');
    right.digits.insert(0, size - right.digits.size(), '0');
    int carry = 0;
    for (std::size_t i = size; i-- > 0;) {
        carry += left.digits[i] - '0' + right.digits[i] - '0';
        left.digits[i] = static_cast<char>('0' + carry % 10);
        carry /= 10;
    }
    drop_leading_zeros(left.digits);
    return left;
}

// Rounded down.
std::string whole_part(Decimal number)
{
    if (number.places < 0) {
        set_places(number, 0);
    }
    auto places = static_cast<std::size_t>(number.places);
    if (number.digits.size() <= places) {
        return "0";
    }
    number.digits.resize(number.digits.size() - places);
    return number.digits;
}

Problem no_number(std::string_view text)
{
    return Problem{"\"" + log_excerpt(std::string(text), 40)
                   + "\" is not an amount that was used"};
}

}  // namespace

bool is_usage_factor(std::string_view text)
{
    return read_decimal(text).has_value();
}

Result<UsageCharge> usage_charge(const std::vector<UsageTerm> &terms,
                                 std::string_view maximum)
{
    Decimal total;
    for (const UsageTerm &term : terms) {
        auto value = read_decimal(term.value);
        auto factor = read_decimal(term.factor);
        if (!value || !factor) {
            return no_number(value ? term.factor : term.value);
        }
        total = sum(std::move(total), product(*value, *factor));
    }
    std::string amount = whole_part(std::move(total));
    bool more = amount.size() > kMostDigits || !is_atomic_amount(amount)
                || compare_atomic_amounts(amount, maximum) > 0;
    return UsageCharge{more ? std::string(maximum) : std::move(amount), more};
}

}  // namespace x402
