// SPDX-License-Identifier: Apache-2.0
// What an answer costs by what it says of itself (x402_charge), for scheme
// `upto`. Used by filter/reply_usage.
#ifndef X402_POLICY_USAGE_CHARGE_HPP
#define X402_POLICY_USAGE_CHARGE_HPP

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace x402 {

// value x factor atomic units. Decimal numbers as JSON writes them, not
// negative: "1000", "0.25", "1.4e-05".
struct UsageTerm {
    std::string value;
    std::string factor = "1";
};

struct UsageCharge {
    std::string amount;   // atomic units
    bool capped = false;  // it would have been more than the maximum
};

// Whether x402_charge can multiply by this text.
bool is_usage_factor(std::string_view text);

// The sum of the terms, exactly, rounded down, and never more than `maximum`
// (atomic units). Problem: a term that is not a number, which is named; then
// nothing can be said of the cost.
Result<UsageCharge> usage_charge(const std::vector<UsageTerm> &terms,
                                 std::string_view maximum);

}  // namespace x402

#endif
