// SPDX-License-Identifier: Apache-2.0
#include "policy/json_amount.hpp"

#include <cstdint>

#include "base/decimal_amount.hpp"

namespace x402 {

std::optional<std::string> json_amount(JsonValue value)
{
    // Every int64_t that becomes this double is beyond it.
    constexpr double kTooLarge = 9223372036854775808.0;

    if (value.is_string()) {
        std::string_view text = value.string();
        return is_atomic_amount(text) ? std::optional<std::string>(text)
                                      : std::nullopt;
    }
    std::optional<std::int64_t> integer = value.integer();
    if (!integer || *integer < 0) {
        return std::nullopt;
    }
    auto rounded = static_cast<double>(*integer);
    if (rounded >= kTooLarge
        || static_cast<std::int64_t>(rounded) != *integer) {
        return std::nullopt;
    }
    return std::to_string(*integer);
}

}  // namespace x402
