// SPDX-License-Identifier: Apache-2.0
// The resource of a challenge (x402 v2, ResourceInfo).
#ifndef X402_PROTOCOL_RESOURCE_INFO_HPP
#define X402_PROTOCOL_RESOURCE_INFO_HPP

#include <cstddef>
#include <string_view>

namespace x402 {

// Of a URL in an offer: strangers write it, and the header that carries the
// offer has to pass servers that hold 4 KB of them.
constexpr std::size_t kMostUrlBytes = 1024;

// The URL without its query where it is longer than that, and the front of what
// is still longer, never a part of an escape or of a character. Lifetime: the
// argument's.
std::string_view bounded_url(std::string_view url);

// Lifetime: borrowed for the call.
struct ResourceInfo {
    std::string_view url;
    std::string_view description = {};
    std::string_view mime_type = {};
    std::string_view method = {};  // of the request; only version 1 sends it
    // Path of the request, without its query, unless x402_resource is written.
    std::string_view path = {};
    // serviceName, tags and iconUrl as JSON, each with a comma in front
    // (service_card.hpp); only version 2 sends them.
    std::string_view service = {};
};

}  // namespace x402

#endif
