// SPDX-License-Identifier: Apache-2.0
#include "base/decimal_amount.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace x402 {

namespace {

// 2^256 - 1
constexpr std::string_view kLargestAmount =
    "115792089237316195423570985008687907853269984665640564039457584007913129"
    "639935";

// So many always fit into 64 bits.
constexpr std::size_t kDigitsOfWord = 19;

bool all_digits(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return c >= '0' && c <= '9';
    });
}

std::string quoted(std::string_view text)
{
    std::string result = "\"";
    result.append(text);
    result.push_back('"');
    return result;
}

Problem too_large(std::string_view decimal)
{
    return Problem{quoted(decimal)
                   + " is more than 256 bits of the asset's "
                     "smallest unit can hold: write less"};
}

}  // namespace

bool is_atomic_amount(std::string_view text)
{
    if (!all_digits(text) || (text[0] == '0' && text.size() > 1)) {
        return false;
    }
    if (text.size() != kLargestAmount.size()) {
        return text.size() < kLargestAmount.size();
    }
    return text <= kLargestAmount;
}

Result<std::string> to_atomic_amount(std::string_view decimal,
                                     unsigned decimals)
{
    std::size_t point = decimal.find('.');
    std::string_view whole = decimal.substr(0, point);
    std::string_view fraction;
    if (point != std::string_view::npos) {
        fraction = decimal.substr(point + 1);
    }
    if (!all_digits(whole)
        || (point != std::string_view::npos && !all_digits(fraction))) {
        return Problem{quoted(decimal)
                       + " is not a plain decimal number: write digits, and at "
                         "most one point between digits, like 0.01"};
    }
    if (decimal == "0") {
        return std::string("0");
    }

    // Zeros at the outer ends do not change the value, in any number.
    whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
    fraction = fraction.substr(0, fraction.find_last_not_of('0') + 1);

    if (whole.empty() && fraction.empty()) {
        return Problem{quoted(decimal)
                       + " is zero: write a plain 0 if nothing is to be paid"};
    }
    if (fraction.size() > decimals) {
        std::string places = std::to_string(decimals);
        return Problem{quoted(decimal) + " is finer than the asset's " + places
                       + " decimals: write at most " + places
                       + " digits after the point"};
    }

    std::size_t zeros = decimals - fraction.size();
    if (zeros > kLargestAmount.size() || whole.size() > kLargestAmount.size()) {
        return too_large(decimal);
    }
    std::string amount(whole);
    amount.append(fraction);
    amount.append(zeros, '0');
    amount.erase(0, amount.find_first_not_of('0'));
    if (!is_atomic_amount(amount)) {
        return too_large(decimal);
    }
    return amount;
}

std::string to_decimal(std::string_view amount, unsigned decimals)
{
    std::size_t whole =
        amount.size() - std::min<std::size_t>(amount.size(), decimals);
    std::string out(whole == 0 ? "0" : amount.substr(0, whole));
    std::string_view fraction = amount.substr(whole);
    std::size_t zeros = decimals - fraction.size();
    fraction = fraction.substr(0, fraction.find_last_not_of('0') + 1);
    if (!fraction.empty()) {
        out.push_back('.');
        out.append(zeros, '0');
        out.append(fraction);
    }
    return out;
}

std::optional<std::string> add_atomic_amounts(std::string_view left,
                                              std::string_view right)
{
    std::string sum;
    int carry = 0;
    for (std::size_t i = 0; i < std::max(left.size(), right.size()); i++) {
        int digit = carry;
        for (std::string_view term : {left, right}) {
            digit += i < term.size() ? term[term.size() - 1 - i] - '0' : 0;
        }
        sum += static_cast<char>('0' + digit % 10);
        carry = digit / 10;
    }
    if (carry != 0) {
        sum += '1';
    }
    std::reverse(sum.begin(), sum.end());
    return is_atomic_amount(sum) ? std::optional<std::string>(std::move(sum))
                                 : std::nullopt;
}

int compare_atomic_amounts(std::string_view left, std::string_view right)
{
    if (left.size() != right.size()) {
        return left.size() < right.size() ? -1 : 1;
    }
    return left.compare(right);
}

std::optional<std::array<std::uint8_t, 32>>
atomic_amount_bytes(std::string_view text)
{
    std::array<std::uint8_t, 32> bytes{};
    if (text.size() <= kDigitsOfWord) {
        std::uint64_t value = 0;
        for (char digit : text) {
            auto figure = static_cast<unsigned char>(digit - '0');
            if (figure > 9) {
                return std::nullopt;
            }
            value = value * 10 + figure;
        }
        if (text.empty() || (text[0] == '0' && text.size() > 1)) {
            return std::nullopt;
        }
        for (std::size_t index = bytes.size(); value != 0; value >>= 8) {
            bytes[--index] = static_cast<std::uint8_t>(value);
        }
        return bytes;
    }
    if (!is_atomic_amount(text)) {
        return std::nullopt;
    }
    std::size_t first = bytes.size();  // in use
    for (char digit : text) {
        unsigned carry = static_cast<unsigned>(digit - '0');
        for (std::size_t index = bytes.size(); index-- > first;) {
            carry += bytes[index] * 10u;
            bytes[index] = static_cast<std::uint8_t>(carry & 0xff);
            carry >>= 8;
        }
        if (carry != 0) {
            bytes[--first] = static_cast<std::uint8_t>(carry);
        }
    }
    return bytes;
}

std::string atomic_amount_text(const std::array<std::uint8_t, 32> &bytes)
{
    auto first = std::find_if(bytes.begin(), bytes.end(),
                              [](std::uint8_t byte) { return byte != 0; });
    // Nearly all amounts: no division of 32 bytes for each digit.
    if (bytes.end() - first <= 8) {
        std::uint64_t number = 0;
        for (; first != bytes.end(); ++first) {
            number = number << 8 | *first;
        }
        return std::to_string(number);
    }
    std::array<std::uint8_t, 32> rest = bytes;
    std::string digits;
    bool more = true;
    while (more) {
        unsigned carry = 0;
        more = false;
        for (std::uint8_t &byte : rest) {
            carry = carry * 256 + byte;
            byte = static_cast<std::uint8_t>(carry / 10);
            carry %= 10;
            more = more || byte != 0;
        }
        digits.push_back(static_cast<char>('0' + carry));
    }
    return {digits.rbegin(), digits.rend()};
}

std::int64_t saturated_seconds(std::string_view text)
{
    constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

    std::int64_t seconds = 0;
    for (char digit : text) {
        int value = digit - '0';
        if (seconds > (kNever - value) / 10) {
            return kNever;
        }
        seconds = seconds * 10 + value;
    }
    return seconds;
}

}  // namespace x402
