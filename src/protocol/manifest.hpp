// SPDX-License-Identifier: Apache-2.0
// What is for sale at a server, for agents (x402_manifest): an OpenAPI document
// whose paid operations carry `x-payment-info`, and the resource list of
// /.well-known/x402. Made once, when the configuration is read.
#ifndef X402_PROTOCOL_MANIFEST_HPP
#define X402_PROTOCOL_MANIFEST_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/openapi_operation.hpp"

namespace x402 {

struct ManifestService {
    std::string title;
    std::string contact;  // e-mail address or URL; empty: none
    std::string guidance;
    std::string proof;
};

// The index in `routes` of the location that serves a path, `npos` if that is
// not paid or not listed.
using RouteFinder = std::function<std::size_t(std::string_view path)>;
constexpr std::size_t kNoRoute = static_cast<std::size_t>(-1);

// OpenAPI 3.1. `base` (may not exist) is a document of the operator's, an
// object: its members are kept, its operations get the price of the location
// that `find` names, and a route that they cover is not listed again.
std::string openapi_manifest(const ManifestService &service,
                             const std::vector<ManifestRoute> &routes,
                             JsonValue base, const RouteFinder &find);

// The resource list, in pieces: the origin of the server (scheme, host and
// port, as in a JSON string) belongs between each two of them. `now` in unix
// seconds.
std::vector<std::string>
resource_manifest(const std::vector<ManifestRoute> &routes, std::int64_t now);

}  // namespace x402

#endif
