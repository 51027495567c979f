// SPDX-License-Identifier: Apache-2.0
// The offer of a 402 (x402 v2, PaymentRequired), before base64.
#ifndef X402_PROTOCOL_PAYMENT_REQUIRED_HPP
#define X402_PROTOCOL_PAYMENT_REQUIRED_HPP

#include <string>
#include <string_view>

#include "protocol/resource_info.hpp"

namespace x402 {

// The text before and after the URL, which is a string between them. `resource`
// contains the other members. At least two bytes follow the URL.
struct TextAroundUrl {
    std::string before;
    std::string after;
};
TextAroundUrl payment_required_around_url(std::string_view error,
                                          const ResourceInfo &resource,
                                          std::string_view accepts_json,
                                          std::string_view extensions_json);

// JSON text with the members x402Version, error, resource, accepts, extensions
// in this order; `error` and `extensions` are left out if empty. `accepts_json`
// is the finished JSON array (of PaymentRequirements::json()),
// `extensions_json` a finished object.
std::string payment_required_json(std::string_view error,
                                  const ResourceInfo &resource,
                                  std::string_view accepts_json,
                                  std::string_view extensions_json = {});

}  // namespace x402

#endif
