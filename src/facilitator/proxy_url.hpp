// SPDX-License-Identifier: Apache-2.0
// The proxy through which facilitators are called, as the operator wrote it.
//
// Pure: reads words, opens nothing.
#ifndef X402_FACILITATOR_PROXY_URL_HPP
#define X402_FACILITATOR_PROXY_URL_HPP

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace x402 {

struct ProxyUrl {
    bool socks = false;      // SOCKS5 (RFC 1928); else HTTP with CONNECT
    std::string host;        // lower case; IPv6 without brackets
    std::uint16_t port = 0;  // 1080 or 80 unless written
    bool host_is_address = false;

    // "socks5://host:port" or "http://host:port".
    std::string text() const;
};

// `http://host[:port]` or `socks5://host[:port]`. Problem: anything else, such
// as a path, or a user name (a secret does not belong in a URL).
Result<ProxyUrl> parse_proxy_url(std::string_view text);

// The one line of a password file. Problem: it is empty, has several lines, or
// characters that no proxy takes. Its text has no byte of the file.
Result<std::string_view> read_proxy_password(std::string_view file);

}  // namespace x402

#endif
