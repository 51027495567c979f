// SPDX-License-Identifier: Apache-2.0
#include "facilitator/proxy_url.hpp"

#include "base/text_prefix.hpp"
#include "facilitator/facilitator_url.hpp"

namespace x402 {

namespace {

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kSocks = "socks5://";
constexpr std::uint16_t kSocksPort = 1080;
// RFC 1929: one byte says how long it is.
constexpr std::size_t kLongestPassword = 255;

Problem bad_proxy(std::string_view text, const std::string &why)
{
    return Problem{"proxy \"" + std::string(text) + "\" " + why};
}

bool has_port(std::string_view authority)
{
    std::size_t bracket = authority.rfind(']');
    std::size_t colon = authority.rfind(':');
    return colon != std::string_view::npos
           && (bracket == std::string_view::npos || colon > bracket);
}

}  // namespace

std::string ProxyUrl::text() const
{
    bool bracket = host.find(':') != std::string::npos;
    return std::string(socks ? kSocks : kHttp)
           + (bracket ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<ProxyUrl> parse_proxy_url(std::string_view text)
{
    ProxyUrl proxy;
    proxy.socks = starts_with(text, kSocks);
    if (!proxy.socks && !starts_with(text, kHttp)) {
        return bad_proxy(text, "must start with \"http://\" or \"socks5://\"");
    }
    std::string_view authority =
        text.substr(proxy.socks ? kSocks.size() : kHttp.size());
    // A host and a port have one form, whatever stands before them.
    auto url =
        parse_facilitator_url(std::string(kHttp) + std::string(authority));
    if (!url || authority.find('/') != std::string_view::npos) {
        return bad_proxy(text, authority.find('@') != std::string_view::npos
                                   ? "must not contain a user name or a "
                                     "password; write user= and password="
                                   : "is not a host with a port");
    }
    proxy.host = url->host;
    proxy.port = proxy.socks && !has_port(authority) ? kSocksPort : url->port;
    proxy.host_is_address = url->host_is_address();
    return proxy;
}

Result<std::string_view> read_proxy_password(std::string_view file)
{
    std::string_view line = file.substr(0, file.find('\n'));
    bool more = line.size() + 1 < file.size();
    if (!line.empty() && line.back() == '\r') {
        line.remove_suffix(1);
    }
    if (line.empty() || more || line.size() > kLongestPassword) {
        return Problem{
            "one line with the password is expected, of at most 255 bytes"};
    }
    for (char byte : line) {
        if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) {
            return Problem{"the password has a control character"};
        }
    }
    return line;
}

}  // namespace x402
