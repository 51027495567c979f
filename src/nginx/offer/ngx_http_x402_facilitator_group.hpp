// SPDX-License-Identifier: Apache-2.0
// x402_facilitator_group: facilitators that replace each other on failure.
//
// A location names one URL or one group. It calls its *peers*: the facilitators
// of that group with the trust and credentials of the location. A URL makes a
// group of one.
#ifndef NGX_HTTP_X402_FACILITATOR_GROUP_HPP
#define NGX_HTTP_X402_FACILITATOR_GROUP_HPP

#include <optional>
#include <string>
#include <vector>

#include "nginx/call/ngx_http_x402_facilitator_conf.hpp"
#include "nginx/core/ngx_http_x402_boundary.hpp"

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

// What a location writes about its facilitator, as far as it inherits it: the
// texts and lists of the configuration themselves.
struct PeersAsked {
    ngx_str_t name;
    ngx_str_t trusted_certificate;
    ngx_flag_t ssl_verify;
    const RequestHeaders *headers;
    const FacilitatorAuth *auth;
    std::optional<const FacilitatorProxy *> proxy;
    const ngx_resolver_t *resolver;

    bool operator==(const PeersAsked &other) const;
};

// Of all locations. Locations with the same settings share their peers.
struct FacilitatorGroups {
    std::vector<FacilitatorGroup> groups;
    std::vector<const FacilitatorPeers *> peers;
    // The last that were found: most locations ask for those of the one before.
    PeersAsked last_asked{};
    const FacilitatorPeers *last = nullptr;
};

// Why the text can be neither a URL nor the name of a group; empty: it can.
// Whether there is a group of that name is known when all has been read.
std::string validate_facilitator(std::string_view text);

// The facilitators that `name`, a URL or the name of a group, stands for, with
// the trust and the credentials of the location. nullptr: an error was printed,
// with `origin`, or memory ran out. Lifetime: the configuration cycle.
const FacilitatorPeers *find_or_add_peers(ngx_conf_t *cf,
                                          const LocationConf &conf,
                                          const ngx_str_t &name,
                                          const ConfOrigin &origin);

// The peer with this id, among those of all payment options of this location;
// nullptr: none has it.
const FacilitatorConf *peer_by_id(const LocationConf &conf, std::uint64_t id);

// Sets the facilitators that verify and settle the payments of a location. From
// merge, for a location with its offer. Which of them is called for a payment:
// payment/facilitator_peers. False: an error was printed, or memory ran out.
bool set_peers(ngx_conf_t *cf, LocationConf &conf);

}  // namespace x402

#endif
