// The offer of a 402 (x402 v2, PaymentRequired), before base64.
#ifndef X402_PROTOCOL_PAYMENT_REQUIRED_HPP
#define X402_PROTOCOL_PAYMENT_REQUIRED_HPP

#include <string>
#include <string_view>

namespace x402 {

struct ResourceInfo {
    std::string_view url;
    std::string_view description;
    std::string_view mime_type;
};

// JSON text with the members x402Version, error, resource, accepts, extensions
// in this order; `error` and `extensions` are left out when empty. The last two
// are finished JSON: an array (of PaymentRequirements::json()) and an object
// (of extensions_for()).
std::string payment_required_json(std::string_view error,
                                  const ResourceInfo &resource,
                                  std::string_view accepts_json,
                                  std::string_view extensions_json = {});

}  // namespace x402

#endif
