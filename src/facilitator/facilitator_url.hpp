// SPDX-License-Identifier: Apache-2.0
// The facilitator's base URL as the operator wrote it, split and checked.
#ifndef X402_FACILITATOR_FACILITATOR_URL_HPP
#define X402_FACILITATOR_FACILITATOR_URL_HPP

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace x402 {

struct FacilitatorUrl {
    bool secure = false;  // https
    std::string host;     // lower case; IPv6 without brackets
    std::uint16_t port = 0;
    std::string path;  // base path without trailing slashes, "" for the root

    // "https://host:port/path", default port left out.
    std::string base() const;
    // base() and "/verify", "/settle" or "/supported".
    std::string endpoint(std::string_view operation) const;
    // The host is a literal address and needs no look-up.
    bool host_is_address() const;
    // The host is this machine: traffic to it stays here.
    bool host_is_loopback() const;
    // Host is this machine or in a network that the public cannot reach: a
    // private or link-local address, a name without a dot, or under .local,
    // .internal, .lan, .test or .localhost.
    bool host_is_private() const;
};

// Problem: no http or https, no host, user information (a secret does not
// belong in a URL), query, fragment, spaces, control characters, invalid port.
Result<FacilitatorUrl> parse_facilitator_url(std::string_view text);

// The same for a URL that the operator writes. Problem, too: it ends in
// "/verify", "/settle" or "/supported".
Result<FacilitatorUrl> parse_base_url(std::string_view text);

}  // namespace x402

#endif
