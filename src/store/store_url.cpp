// SPDX-License-Identifier: Apache-2.0
#include "store/store_url.hpp"

#include <charconv>

namespace x402 {

namespace {

constexpr unsigned kMostDatabase = 1023;
constexpr std::size_t kMostStorePlaces = 16;

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

bool is_master_name(std::string_view name)
{
    return !name.empty() && name.size() <= 128
           && name.find_first_not_of(
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                  "0123456789.-_")
                  == std::string_view::npos;
}

bool is_ipv4(std::string_view host)
{
    return host.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool read_port(std::string_view text, unsigned &port)
{
    return read_number(text, 65535, port) && port > 0;
}

// host, host:port, [address], [address]:port
bool read_place(std::string_view text, StorePlace &place)
{
    std::string_view port;
    bool has_port = false;
    if (!text.empty() && text[0] == '[') {
        std::size_t end = text.find(']');
        if (end == std::string_view::npos) {
            return false;
        }
        std::string_view rest = text.substr(end + 1);
        place.host = std::string(text.substr(1, end - 1));
        place.host_is_address = true;
        has_port = !rest.empty();
        if (!is_ipv6(place.host) || (has_port && rest[0] != ':')) {
            return false;
        }
        port = has_port ? rest.substr(1) : rest;
    } else {
        std::size_t colon = text.find(':');
        has_port = colon != std::string_view::npos;
        port = has_port ? text.substr(colon + 1) : std::string_view();
        place.host = std::string(text.substr(0, colon));
        place.host_is_address = is_ipv4(place.host);
        if (!is_host(place.host)) {
            return false;
        }
    }
    return !has_port || read_port(port, place.port);
}

struct Scheme {
    std::string_view start;
    StoreTopology topology;
    bool secure;
    unsigned port;
};

constexpr Scheme kSchemes[] = {
    {"redis://", StoreTopology::single, false, 6379},
    {"rediss://", StoreTopology::single, true, 6379},
    {"sentinel://", StoreTopology::sentinel, false, 26379},
    {"sentinels://", StoreTopology::sentinel, true, 26379},
};

Problem wrong_scheme(std::string_view text)
{
    std::string_view scheme = text.substr(0, text.find("://"));
    if (scheme == "redis+sentinel" || scheme == "redis-sentinel"
        || scheme == "rediss+sentinel") {
        return {"write sentinel://host:26379,host:26379/name, with the name of "
                "the master, or sentinels:// for TLS"};
    }
    if (scheme == "unix" || scheme == "redis+unix") {
        return {"a store behind a socket file is not supported, because other "
                "machines could not reach it; write redis://host:port"};
    }
    return {"\"" + std::string(text)
            + "\" is not the address of a store; write redis://host:port, "
              "rediss://host:port for TLS, or sentinel://host:port/name"};
}

// Empty: it is read.
std::string read_user(std::string_view &rest, StoreUrl &url)
{
    std::size_t at = rest.rfind('@');
    if (at == std::string_view::npos) {
        return {};
    }
    std::string_view user = rest.substr(0, at);
    if (user.find(':') != std::string_view::npos) {
        return "a password in the address would be shown in error messages; "
               "write it into a file, and password=file";
    }
    if (!is_user(user)) {
        return "the name of a user has no spaces, and no percent signs";
    }
    url.user = std::string(user);
    rest.remove_prefix(at + 1);
    return {};
}

std::string read_places(std::string_view list, unsigned port, StoreUrl &url)
{
    for (;;) {
        std::size_t comma = list.find(',');
        std::string_view one = list.substr(0, comma);
        StorePlace place;
        place.port = port;
        if (!read_place(one, place)) {
            return "\"" + std::string(one)
                   + "\" is not a host with a port; write "
                     "host:port, and commas between several";
        }
        url.places.push_back(std::move(place));
        if (url.places.size() > kMostStorePlaces) {
            return "more than " + std::to_string(kMostStorePlaces)
                   + " hosts; write the first ones, the others are learned";
        }
        if (comma == std::string_view::npos) {
            return {};
        }
        list.remove_prefix(comma + 1);
    }
}

// What is behind the hosts.
std::string read_path(std::string_view path, StoreUrl &url)
{
    if (url.topology == StoreTopology::sentinel) {
        std::size_t slash = path.find('/');
        std::string_view name = path.substr(0, slash);
        if (!is_master_name(name)) {
            return "sentinels are asked for a master by its name; write "
                   "sentinel://host:26379/name, with the name of \"sentinel "
                   "monitor\"";
        }
        url.master = std::string(name);
        path = slash == std::string_view::npos ? std::string_view()
                                               : path.substr(slash + 1);
    }
    if (!path.empty() && !read_number(path, kMostDatabase, url.database)) {
        return "\"" + std::string(path)
               + "\" is not the number of a database; write "
                 "redis://host:port/0, and options as parameters of "
                 "x402_store";
    }
    return {};
}

}  // namespace

std::string StorePlace::text() const
{
    bool brackets = host.find(':') != std::string::npos;
    return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string StoreUrl::base() const
{
    bool asks = topology == StoreTopology::sentinel;
    std::string text = asks ? "sentinel" : "redis";
    text += secure ? "s://" : "://";
    for (const StorePlace &place : places) {
        text += (&place == places.data() ? "" : ",") + place.text();
    }
    return text + (asks ? "/" + master : "")
           + (database ? "/" + std::to_string(database) : "");
}

Result<StoreUrl> parse_store_url(std::string_view text)
{
    for (const Scheme &scheme : kSchemes) {
        if (text.substr(0, scheme.start.size()) != scheme.start) {
            continue;
        }
        StoreUrl url;
        url.topology = scheme.topology;
        url.secure = scheme.secure;
        std::string_view rest = text.substr(scheme.start.size());
        std::string error = read_user(rest, url);
        std::size_t slash = rest.find('/');
        std::string_view path = slash == std::string_view::npos
                                    ? std::string_view()
                                    : rest.substr(slash + 1);
        if (error.empty()) {
            error = read_path(path, url);
        }
        if (error.empty()) {
            error = read_places(rest.substr(0, slash), scheme.port, url);
        }
        if (!error.empty()) {
            return Problem{std::move(error)};
        }
        return url;
    }
    return wrong_scheme(text);
}

bool read_store_place(std::string_view host, std::string_view port,
                      StorePlace &place)
{
    place.host = std::string(host);
    place.host_is_address = is_ipv6(host) || is_ipv4(host);
    return (is_ipv6(host) || is_host(host)) && read_port(port, place.port);
}

bool read_store_place(std::string_view host_and_port, StorePlace &place)
{
    std::size_t colon = host_and_port.rfind(':');
    return colon != std::string_view::npos
           && read_store_place(host_and_port.substr(0, colon),
                               host_and_port.substr(colon + 1), place);
}

}  // namespace x402
