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
    std::string network;  // CAIP-2, byte for byte as it goes out
    std::string amount;   // atomic units
    std::string asset;
    std::string pay_to;
    std::uint32_t max_timeout_seconds = 300;
    JsonDocument extra;  // always an object, {} when there is nothing to say
    // Of the asset, where they are known. For us, not in the JSON.
    std::optional<unsigned> decimals;
    // The name version 1 has for the network; empty where it has none. For us.
    std::string v1_network;
    // The facilitator has to say a member of `extra` before this can be offered
    // (policy/supported_extra.hpp). For us.
    bool needs_supported = false;
    // Of a plan whose credits are asked for (dialect nevermined); `amount` is
    // the credits then, `asset` and `pay_to` are empty. For us.
    std::string plan;
    std::string agent;

    // The seven members scheme, network, amount, asset, payTo,
    // maxTimeoutSeconds, extra in this order. No other member may be added:
    // clients drop what they do not know when they echo, and would not match.
    std::string json() const;
};

}  // namespace x402

#endif
