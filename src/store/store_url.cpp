// SPDX-License-Identifier: Apache-2.0
#include "store/store_url.hpp"

#include <charconv>

namespace x402 {

namespace {

constexpr unsigned kMostDatabase = 1023;

bool read_number(std::string_view text, unsigned most, unsigned &number)
{
    const char *end = text.data() + text.size();
    auto read = std::from_chars(text.data(), end, number);
    return !text.empty() && read.ec == std::errc() && read.ptr == end
           && number <= most;
}

bool is_host(std::string_view host)
{
    return !host.empty()
           && host.find_first_not_of(
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                  "0123456789.-_")
                  == std::string_view::npos;
}

bool is_ipv6(std::string_view host)
{
    return host.find(':') != std::string_view::npos
           && host.find_first_not_of("0123456789abcdefABCDEF:.")
                  == std::string_view::npos;
}

bool is_user(std::string_view user)
{
    for (char c : user) {
        if (c <= ' ' || c > '~' || c == '%') {
            return false;
        }
    }
    return !user.empty();
}

// host, host:port, [address], [address]:port
bool read_place(std::string_view place, StoreUrl &url)
{
    std::string_view port;
    bool has_port = false;
    if (!place.empty() && place[0] == '[') {
        std::size_t end = place.find(']');
        if (end == std::string_view::npos) {
            return false;
        }
        std::string_view rest = place.substr(end + 1);
        url.host = std::string(place.substr(1, end - 1));
        url.host_is_address = true;
        has_port = !rest.empty();
        if (!is_ipv6(url.host) || (has_port && rest[0] != ':')) {
            return false;
        }
        port = has_port ? rest.substr(1) : rest;
    } else {
        std::size_t colon = place.find(':');
        has_port = colon != std::string_view::npos;
        port = has_port ? place.substr(colon + 1) : std::string_view();
        url.host = std::string(place.substr(0, colon));
        url.host_is_address =
            url.host.find_first_not_of("0123456789.") == std::string::npos;
        if (!is_host(url.host)) {
            return false;
        }
    }
    return !has_port || (read_number(port, 65535, url.port) && url.port > 0);
}

Problem wrong_scheme(std::string_view text)
{
    std::string_view scheme = text.substr(0, text.find("://"));
    if (scheme == "sentinel" || scheme == "redis+sentinel") {
        return {"Sentinel is not supported; write the address of the master, "
                "or a name that follows it, as redis://host:port"};
    }
    if (scheme == "unix" || scheme == "redis+unix") {
        return {"a store behind a socket file is not supported, because other "
                "machines could not reach it; write redis://host:port"};
    }
    return {"\"" + std::string(text)
            + "\" is not the address of a store; write redis://host:port, or "
              "rediss://host:port for TLS"};
}

}  // namespace

std::string StoreUrl::base() const
{
    bool brackets = host.find(':') != std::string::npos;
    return std::string(secure ? "rediss://" : "redis://")
           + (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port)
           + (database ? "/" + std::to_string(database) : "");
}

Result<StoreUrl> parse_store_url(std::string_view text)
{
    constexpr std::string_view kPlain = "redis://";
    constexpr std::string_view kSecure = "rediss://";
    StoreUrl url;
    url.secure = text.substr(0, kSecure.size()) == kSecure;
    std::string_view start = url.secure ? kSecure : kPlain;
    if (text.substr(0, start.size()) != start) {
        return wrong_scheme(text);
    }
    std::string_view rest = text.substr(start.size());
    std::size_t at = rest.rfind('@');
    if (at != std::string_view::npos) {
        std::string_view user = rest.substr(0, at);
        if (user.find(':') != std::string_view::npos) {
            return Problem{"a password in the address would be shown in error "
                           "messages; write it into a file, and password=file"};
        }
        if (!is_user(user)) {
            return Problem{"the name of a user has no spaces, and no percent "
                           "signs"};
        }
        url.user = std::string(user);
        rest.remove_prefix(at + 1);
    }
    std::size_t slash = rest.find('/');
    std::string_view database = slash == std::string_view::npos
                                    ? rest.substr(rest.size())
                                    : rest.substr(slash + 1);
    if (!database.empty()
        && !read_number(database, kMostDatabase, url.database)) {
        return Problem{"\"" + std::string(database)
                       + "\" is not the number of a database; write "
                         "redis://host:port/0, and options as parameters of "
                         "x402_store"};
    }
    if (!read_place(rest.substr(0, slash), url)) {
        return Problem{"\"" + std::string(rest.substr(0, slash))
                       + "\" is not a host with a port; write "
                         "redis://host:port"};
    }
    return url;
}

}  // namespace x402
