// SPDX-License-Identifier: Apache-2.0
#include "protocol/v1_match.hpp"

namespace x402 {

namespace {

bool equal_addresses(std::string_view a, std::string_view b)
{
    auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    if (a.size() != b.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a.size(); i++) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

}  // namespace

const PaymentOffer::Option *match_v1_payment(const Dialect &dialect,
                                             const PaymentOffer &offer,
                                             const PaymentPayload &payload)
{
    JsonValue authorization = payload.payload()["authorization"];
    const PaymentOffer::Option *first = nullptr;
    for (const PaymentOffer::Option &option : offer.options()) {
        const PaymentRequirements &offered = option.requirements;
        if (!dialect.can_offer(offered) || offered.scheme != payload.scheme()
            || dialect.network_name(offered) != payload.network()) {
            continue;
        }
        if (first == nullptr) {
            first = &option;
        }
        if (authorization["value"].string() == offered.amount
            && equal_addresses(authorization["to"].string(), offered.pay_to)) {
            return &option;
        }
    }
    return first;
}

}  // namespace x402
