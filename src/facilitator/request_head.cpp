// SPDX-License-Identifier: Apache-2.0
#include "facilitator/request_head.hpp"

#include <charconv>

#include "base/module_version.hpp"
#include "facilitator/facilitator_url.hpp"

namespace x402 {

namespace {

// The part after the authority: a redirect may lead to any path, also to one
// that ends in a slash.
std::string_view request_target(std::string_view url)
{
    std::size_t authority = url.find("://");
    std::size_t path = authority == std::string_view::npos
                           ? authority
                           : url.find('/', authority + 3);
    return path == std::string_view::npos ? "/" : url.substr(path);
}

std::string host_of(std::string_view url)
{
    auto parsed = parse_facilitator_url(url);
    if (!parsed) {
        return {};
    }
    parsed->path.clear();
    std::string base = parsed->base();
    return base.substr(base.find("://") + 3);
}

}  // namespace

std::string start_of_head(std::string_view url, bool post)
{
    std::string head = post ? "POST " : "GET ";
    head += request_target(url);
    head += " HTTP/1.1\r\nHost: ";
    head += host_of(url);
    head += "\r\nUser-Agent: " NGX_HTTP_X402_USER_AGENT "\r\n"
            "Accept: application/json\r\n";
    if (post) {
        head += "Content-Type: application/json\r\n";
    }
    return head;
}

std::string whole_head(std::string_view start,
                       const std::vector<std::string> &headers, bool post,
                       std::size_t length)
{
    constexpr std::string_view kLength = "Content-Length: ";
    constexpr std::size_t kMostDigits = 20;
    std::size_t size = start.size() + kLength.size() + kMostDigits + 4;
    for (const std::string &line : headers) {
        size += line.size() + 2;
    }

    std::string head;
    head.reserve(size);
    head += start;
    for (const std::string &line : headers) {
        head += line;
        head += "\r\n";
    }
    if (post) {
        char digits[kMostDigits];
        auto end = std::to_chars(digits, digits + sizeof(digits), length);
        head += kLength;
        head.append(digits, end.ptr);
        head += "\r\n";
    }
    head += "\r\n";
    return head;
}

}  // namespace x402
