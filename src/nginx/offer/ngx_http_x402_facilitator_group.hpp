// x402_facilitator_group: facilitators that stand in for each other.
//
// A location names one URL or one group; what it asks is its *members*: the
// facilitators of that group with the trust and credentials of the location.
// A URL makes a group of one.
#ifndef NGX_HTTP_X402_FACILITATOR_GROUP_HPP
#define NGX_HTTP_X402_FACILITATOR_GROUP_HPP

#include <string>
#include <vector>

#include "nginx/call/ngx_http_x402_facilitator_conf.hpp"

namespace x402 {

// As written.
struct GroupServer {
    std::string url;  // base
    bool backup = false;
    HealthTerms health;
};
struct FacilitatorGroup {
    std::string name;
    std::vector<GroupServer> servers;  // backups last
};

// Of all locations; a location that names nothing else than another shares
// its members.
struct FacilitatorGroups {
    std::vector<FacilitatorGroup> groups;
    std::vector<const FacilitatorPeers *> peers;
};

// Why the text can be no URL and no group's name; empty: it can be one. Whether
// there is a group of that name is known when all has been read.
std::string validate_facilitator(std::string_view text);

// The facilitators that `name`, a URL or the name of a group, stands for, with
// the trust and the credentials of the location. nullptr: an error was printed,
// with `origin`, or there is no memory. Lifetime: the configuration cycle.
const FacilitatorPeers *find_or_add_peers(ngx_conf_t *cf,
                                          const LocationConf &conf,
                                          const ngx_str_t &name,
                                          const ConfOrigin &origin);

// Of the members that this location may ask about any payment option, the one
// with this id; nullptr: none has it.
const FacilitatorConf *peer_by_id(const LocationConf &conf, std::uint64_t id);

}  // namespace x402

#endif
