// SPDX-License-Identifier: Apache-2.0
#include "store/store_check.hpp"

#include <charconv>

#include "base/text_excerpt.hpp"

namespace x402 {

namespace {

constexpr unsigned kOldestMajor = 7;  // scripts with flags

// The value of a line "name:value"; empty: there is none.
std::string_view field(std::string_view info, std::string_view name)
{
    std::size_t at = 0;
    while (at < info.size()) {
        std::size_t end = info.find("\r\n", at);
        std::string_view line =
            info.substr(at, end == std::string_view::npos ? end : end - at);
        if (line.size() > name.size() && line[name.size()] == ':'
            && line.substr(0, name.size()) == name) {
            return line.substr(name.size() + 1);
        }
        at = end == std::string_view::npos ? info.size() : end + 2;
    }
    return {};
}

// Empty: it is what x402_store says.
std::string check_topology(std::string_view info, StoreTopology topology)
{
    std::string_view mode = field(info, "redis_mode");
    if (mode.empty()) {
        mode = field(info, "server_mode");
    }
    bool cluster = topology == StoreTopology::cluster;
    if (mode == "cluster" && !cluster) {
        return "the server is a node of a cluster; add \"cluster\" to "
               "x402_store";
    }
    if (mode == "sentinel") {
        return "the server is a sentinel; write sentinel://host:port/name into "
               "x402_store";
    }
    if (mode != "cluster" && cluster) {
        return "the server is not a node of a cluster; leave \"cluster\" out "
               "of x402_store";
    }
    if (cluster || field(info, "role") == "master") {
        return {};
    }
    return topology == StoreTopology::sentinel
               ? "the server that the sentinels report is a replica; they are "
                 "asked again until their failover is over"
               : "the server is a replica; write the address of its master "
                 "into x402_store, or use sentinel://";
}

}  // namespace

std::string check_store_info(std::string_view info, StoreTopology topology)
{
    std::string_view version = field(info, "redis_version");
    unsigned major = 0;
    std::from_chars(version.data(), version.data() + version.size(), major);
    if (version.empty()) {
        return "the server does not say its version; it has to be Redis 7.0, "
               "Valkey 7.2, or newer, and the user of x402_store needs the "
               "right to call INFO";
    }
    if (major < kOldestMajor) {
        return "the server is Redis " + log_excerpt(std::string(version))
               + "; it has to be 7.0 or newer: upgrade it";
    }
    std::string error = check_topology(info, topology);
    if (!error.empty()) {
        return error;
    }
    std::string_view policy = field(info, "maxmemory_policy");
    if (policy != "noeviction") {
        return "the server may evict payments that it must not forget "
               "(maxmemory-policy is \""
               + log_excerpt(std::string(policy))
               + "\"); set maxmemory-policy to noeviction";
    }
    return {};
}

}  // namespace x402
