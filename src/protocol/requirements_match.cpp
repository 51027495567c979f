// SPDX-License-Identifier: Apache-2.0
#include "protocol/requirements_match.hpp"

#include <string_view>

namespace x402 {

namespace {

bool string_equals(JsonValue value, std::string_view text)
{
    return value.is_string() && value.string() == text;
}

// x402 v2, `extra` of scheme exact on Solana: the server sets these two
// for each challenge, so an echo may be older than the present offer.
bool is_dynamic(std::string_view key, const PaymentRequirements &offered)
{
    constexpr std::string_view kSolana = "solana:";
    return (key == "recentBlockhash" || key == "lastValidBlockHeight")
           && offered.scheme == "exact"
           && offered.network.compare(0, kSolana.size(), kSolana) == 0;
}

bool matches_extra(JsonValue echoed, const PaymentRequirements &offered)
{
    if (echoed.exists() && !echoed.is_object()) {
        return false;
    }
    // An absent echo counts as {}: clients in Go leave empty maps out.
    for (const auto &[key, value] : offered.extra.root().members()) {
        if (!is_dynamic(key, offered) && !echoed[key].covers(value)) {
            return false;
        }
    }
    return true;
}

}  // namespace

bool matches_requirements(JsonValue accepted,
                          const PaymentRequirements &offered)
{
    JsonValue extra = accepted["extra"];
    std::size_t expected_size = extra.exists() ? 7 : 6;

    return accepted.is_object() && accepted.size() == expected_size
           && string_equals(accepted["scheme"], offered.scheme)
           && string_equals(accepted["network"], offered.network)
           && string_equals(accepted["amount"], offered.amount)
           && string_equals(accepted["asset"], offered.asset)
           && string_equals(accepted["payTo"], offered.pay_to)
           && accepted["maxTimeoutSeconds"].integer()
                  == std::int64_t{offered.max_timeout_seconds}
           && matches_extra(extra, offered);
}

}  // namespace x402
