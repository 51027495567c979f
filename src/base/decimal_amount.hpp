// SPDX-License-Identifier: Apache-2.0
// Amounts of money as integers of the smallest unit, without floating point.
//
// "Atomic units" is decimal text of an unsigned integer without leading zeros
// ("0" for nothing), at most 78 digits: a value of 256 bits, as in `amount` of
// x402.
#ifndef X402_BASE_DECIMAL_AMOUNT_HPP
#define X402_BASE_DECIMAL_AMOUNT_HPP

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace x402 {

// `0|[1-9][0-9]{0,77}` and below 2^256.
bool is_atomic_amount(std::string_view text);

// A decimal number `[0-9]+(\.[0-9]+)?` (redundant leading zeros allowed, as
// "00.5") times 10^decimals. Problem: anything else (sign, exponent, thousands
// separator, blank, missing digit before or after the point), digits that
// `decimals` would lose (zeros at the end are not a loss), more than 2^256-1,
// and a value that is zero although it was not written as plain `0` ("0.0",
// "0.00"; the operator may have meant something else).
Result<std::string> to_atomic_amount(std::string_view decimal,
                                     unsigned decimals);

// An atomic amount as a decimal number: "10000" with 6 decimals is "0.01".
// Without redundant zeros. Precondition: is_atomic_amount(amount).
std::string to_decimal(std::string_view amount, unsigned decimals);

// The sum of two atomic amounts; nullopt: more than 2^256-1.
std::optional<std::string> add_atomic_amounts(std::string_view left,
                                              std::string_view right);

// Compares two atomic amounts by value: <0, 0, >0.
int compare_atomic_amounts(std::string_view left, std::string_view right);

// Big-endian 256-bit integer of an atomic amount; nullopt: not one.
std::optional<std::array<std::uint8_t, 32>>
atomic_amount_bytes(std::string_view text);

// The reverse, without leading zeros.
std::string atomic_amount_text(const std::array<std::uint8_t, 32> &bytes);

// Seconds since the epoch written as an atomic amount; a value beyond 63 bits
// is INT64_MAX (a validity that never ends). Precondition:
// is_atomic_amount(text).
std::int64_t saturated_seconds(std::string_view text);

}  // namespace x402

#endif
