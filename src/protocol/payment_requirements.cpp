// SPDX-License-Identifier: Apache-2.0
#include "protocol/payment_requirements.hpp"

#include "base/json_text.hpp"

namespace x402 {

std::string PaymentRequirements::json() const
{
    std::string text = "{";
    text.reserve(384);
    auto add = [&text](std::string_view key, std::string_view value) {
        append_json_key(text, key);
        append_json_string(text, value);
    };

    // x402 v2, PaymentRequirements, in the order of the reference.
    add("scheme", scheme);
    add("network", network);
    add("amount", amount);
    add("asset", asset);
    add("payTo", pay_to);
    append_json_key(text, "maxTimeoutSeconds");
    text.append(std::to_string(max_timeout_seconds));
    append_json_key(text, "extra");
    if (extra.root().is_object()) {
        extra.root().write(text);
    } else {
        text.append("{}");
    }
    text.push_back('}');
    return text;
}

}  // namespace x402
