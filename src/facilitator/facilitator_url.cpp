// SPDX-License-Identifier: Apache-2.0
#include "facilitator/facilitator_url.hpp"

#include <cstdio>

namespace x402 {

namespace {

bool is_plain_url_byte(char byte)
{
    unsigned char code = static_cast<unsigned char>(byte);
    return code > 0x20 && code < 0x7f && byte != '"' && byte != '<'
           && byte != '>' && byte != '\\' && byte != '^' && byte != '`'
           && byte != '{' && byte != '|' && byte != '}';
}

bool is_host_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9')
           || byte == '-' || byte == '.' || byte == '_';
}

std::string lower(std::string_view text)
{
    std::string out(text);
    for (char &byte : out) {
        if (byte >= 'A' && byte <= 'Z') {
            byte = static_cast<char>(byte - 'A' + 'a');
        }
    }
    return out;
}

// Parses port digits into `port`; false: invalid.
bool read_port(std::string_view digits, std::uint16_t &port)
{
    if (digits.empty() || digits.size() > 5) {
        return false;
    }
    unsigned value = 0;
    for (char digit : digits) {
        if (digit < '0' || digit > '9') {
            return false;
        }
        value = value * 10 + static_cast<unsigned>(digit - '0');
    }
    if (value == 0 || value > 65535) {
        return false;
    }
    port = static_cast<std::uint16_t>(value);
    return true;
}

Problem bad_url(std::string_view text, std::string_view why)
{
    return Problem{"facilitator \"" + std::string(text) + "\" "
                   + std::string(why)};
}

// Splits "host[:port]" or "[v6][:port]"; nullptr: valid, otherwise the reason.
const char *read_authority(std::string_view authority, FacilitatorUrl &url)
{
    std::string_view port;
    bool has_port = false;

    if (!authority.empty() && authority.front() == '[') {
        std::size_t close = authority.find(']');
        if (close == std::string_view::npos || close == 1) {
            return "has an IPv6 address without \"]\"";
        }
        url.host = lower(authority.substr(1, close - 1));
        if (url.host.find(':') == std::string::npos
            || url.host.find_first_not_of("0123456789abcdef:.")
                   != std::string::npos) {
            return "has no IPv6 address between \"[\" and \"]\"";
        }
        authority.remove_prefix(close + 1);
        if (!authority.empty()) {
            if (authority.front() != ':') {
                return "has text after \"]\"";
            }
            has_port = true;
            port = authority.substr(1);
        }

    } else {
        std::size_t colon = authority.find(':');
        url.host = lower(authority.substr(0, colon));
        if (colon != std::string_view::npos) {
            has_port = true;
            port = authority.substr(colon + 1);
        }
        for (char byte : url.host) {
            if (!is_host_byte(byte)) {
                return "has a host name with characters that no host has";
            }
        }
    }

    if (url.host.empty()) {
        return "has no host";
    }
    if (has_port && !read_port(port, url.port)) {
        return "has no port between 1 and 65535";
    }
    return nullptr;
}

}  // namespace

std::string FacilitatorUrl::base() const
{
    constexpr std::size_t kAround = 16;  // "https://", brackets, port
    bool bracket = host.find(':') != std::string::npos;
    std::string out;
    out.reserve(kAround + host.size() + path.size());
    out.append(secure ? "https://" : "http://");
    out.append(bracket ? "[" : "").append(host).append(bracket ? "]" : "");
    if (port != (secure ? 443 : 80)) {
        out.append(":").append(std::to_string(port));
    }
    return out.append(path);
}

std::string FacilitatorUrl::endpoint(std::string_view operation) const
{
    return base() + "/" + std::string(operation);
}

bool FacilitatorUrl::host_is_address() const
{
    return host.find(':') != std::string::npos
           || host.find_first_not_of("0123456789.") == std::string::npos;
}

bool FacilitatorUrl::host_is_loopback() const
{
    bool v4 = host_is_address() && host.compare(0, 4, "127.") == 0;
    return v4 || host == "::1" || host == "localhost";
}

bool FacilitatorUrl::host_is_private() const
{
    if (host_is_loopback()) {
        return true;
    }
    if (host.find(':') != std::string::npos) {
        std::string front = host.substr(0, 2);
        return front == "fc" || front == "fd" || host.compare(0, 3, "fe8") == 0;
    }
    if (host_is_address()) {
        unsigned first = 0;
        unsigned second = 0;
        std::sscanf(host.c_str(), "%u.%u", &first, &second);
        return first == 10 || (first == 172 && second >= 16 && second < 32)
               || (first == 192 && second == 168)
               || (first == 169 && second == 254)
               || (first == 100 && second >= 64 && second < 128);
    }
    std::size_t dot = host.rfind('.');
    if (dot == std::string::npos) {
        return true;
    }
    for (const char *domain :
         {"local", "internal", "lan", "test", "localhost"}) {
        if (host.compare(dot + 1, std::string::npos, domain) == 0) {
            return true;
        }
    }
    return false;
}

Result<FacilitatorUrl> parse_facilitator_url(std::string_view text)
{
    FacilitatorUrl url;
    std::string_view rest = text;

    for (char byte : text) {
        if (!is_plain_url_byte(byte)) {
            return bad_url(text, "has a character that no URL has");
        }
    }

    std::size_t colon = rest.find("://");
    std::string scheme =
        colon == std::string_view::npos ? "" : lower(rest.substr(0, colon));
    if (scheme != "https" && scheme != "http") {
        return bad_url(text, "must start with \"https://\" or \"http://\"");
    }
    url.secure = scheme == "https";
    url.port = url.secure ? 443 : 80;
    rest.remove_prefix(colon + 3);

    if (rest.find_first_of("?#") != std::string_view::npos) {
        return bad_url(text, "must not have a query or a fragment: "
                             "\"/verify\" and \"/settle\" are appended to it");
    }
    std::size_t slash = rest.find('/');
    std::string_view authority = rest.substr(0, slash);
    if (slash != std::string_view::npos) {
        url.path = std::string(rest.substr(slash));
        while (!url.path.empty() && url.path.back() == '/') {
            url.path.pop_back();
        }
    }
    if (authority.find('@') != std::string_view::npos) {
        return bad_url(text, "must not contain a user name or a password");
    }
    if (const char *why = read_authority(authority, url)) {
        return bad_url(text, why);
    }
    return url;
}

Result<FacilitatorUrl> parse_base_url(std::string_view text)
{
    auto url = parse_facilitator_url(text);
    if (!url) {
        return url;
    }
    std::size_t last = url->path.rfind('/');
    for (const char *operation : {"verify", "settle", "supported"}) {
        if (last != std::string::npos
            && url->path.compare(last + 1, std::string::npos, operation) == 0) {
            return bad_url(text, "must not end in \"/verify\", \"/settle\" or "
                                 "\"/supported\": these are appended to it");
        }
    }
    return url;
}

}  // namespace x402
