// The resource of a challenge (x402 v2, ResourceInfo).
#ifndef X402_PROTOCOL_RESOURCE_INFO_HPP
#define X402_PROTOCOL_RESOURCE_INFO_HPP

#include <string_view>

namespace x402 {

// Lifetime: borrowed for the call.
struct ResourceInfo {
    std::string_view url;
    std::string_view description = {};
    std::string_view mime_type = {};
    std::string_view method = {};  // of the request; only version 1 sends it
    // Path of the request, without its query, unless x402_resource is written.
    std::string_view path = {};
};

}  // namespace x402

#endif
