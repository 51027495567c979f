// SPDX-License-Identifier: Apache-2.0
// The address of a store as an operator writes it (x402_store).
#ifndef X402_STORE_STORE_URL_HPP
#define X402_STORE_STORE_URL_HPP

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace x402 {

// Where a server is.
struct StorePlace {
    std::string host;  // a name, or an address without brackets
    bool host_is_address = false;
    unsigned port = 0;

    std::string text() const;  // host:port
    bool operator==(const StorePlace &other) const
    {
        return port == other.port && host == other.host;
    }
};

enum class StoreTopology {
    single,    // one server
    sentinel,  // the master that sentinels tell
    cluster,   // nodes, each with a part of the shards
};

struct StoreUrl {
    StoreTopology topology = StoreTopology::single;
    bool secure = false;  // rediss://, sentinels://
    std::string user;     // empty: the default user
    // The server, the sentinels, or nodes of the cluster. At least one.
    std::vector<StorePlace> places;
    std::string master;  // its name, as sentinels know it
    unsigned database = 0;

    // For the log: without the user.
    std::string base() const;
};

// redis://[user@]host[:port][/database], or rediss://; several hosts, with
// commas, are nodes of a cluster (the caller sets the topology).
// sentinel://[user@]host[:port],.../master[/database], or sentinels://. The
// problem says what to write instead.
Result<StoreUrl> parse_store_url(std::string_view text);

// As servers name others: an address or a name, and a port.
bool read_store_place(std::string_view host, std::string_view port,
                      StorePlace &place);
// host:port, as MOVED and ASK have it. An IPv6 address has no brackets there.
bool read_store_place(std::string_view host_and_port, StorePlace &place);

}  // namespace x402

#endif
