// SPDX-License-Identifier: Apache-2.0
// One payment option, as offered (x402 v2, PaymentRequirements).
#ifndef X402_PROTOCOL_PAYMENT_REQUIREMENTS_HPP
#define X402_PROTOCOL_PAYMENT_REQUIREMENTS_HPP

#include <cstdint>
#include <optional>
#include <string>

#include "base/json_document.hpp"

namespace x402 {

struct PaymentRequirements {
    std::string scheme;
    std::string network;  // CAIP-2, byte for byte as sent
    std::string amount;   // atomic units
    std::string asset;
    std::string pay_to;
    std::uint32_t max_timeout_seconds = 300;
    JsonDocument extra;  // always an object, {} if it has no members
    // Decimals of the asset, if known. Internal, not in the JSON.
    std::optional<unsigned> decimals;
    // The network's name in version 1; empty if it has none. Internal.
    std::string v1_network;
    // The facilitator must supply a member of `extra` before this can be
    // offered (policy/supported_extra.hpp). Internal.
    bool needs_supported = false;
    // The plan that is paid with credits (dialect nevermined); `amount` is then
    // the credits, `asset` and `pay_to` are empty. Internal.
    std::string plan;
    std::string agent;

    // The seven members scheme, network, amount, asset, payTo,
    // maxTimeoutSeconds, extra in this order. No other member may be added:
    // clients drop unknown members from their echo, which then would not match.
    std::string json() const;
};

// Whether a payment for one of them pays for the other: equal in scheme,
// network, asset, receiver and amount (and plan, where there is one).
inline bool asks_for_the_same(const PaymentRequirements &left,
                              const PaymentRequirements &right)
{
    return left.scheme == right.scheme && left.network == right.network
           && left.asset == right.asset && left.pay_to == right.pay_to
           && left.amount == right.amount && left.plan == right.plan
           && left.agent == right.agent;
}

}  // namespace x402

#endif
