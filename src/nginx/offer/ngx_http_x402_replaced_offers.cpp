// SPDX-License-Identifier: Apache-2.0
#include "nginx/offer/ngx_http_x402_replaced_offers.hpp"

#include <algorithm>
#include <unordered_map>

namespace x402 {

struct PlacedOffer {
    LocationOffer *location;
    bool unique = true;  // no other offer of its configuration is there
};
struct PlacedOffers {
    std::unordered_map<std::string, PlacedOffer> at;  // by place
    // While the configuration is read: the server whose locations are read, and
    // the words for it.
    const ngx_http_core_srv_conf_t *server = nullptr;
    std::string server_words;
};

namespace {

// The addresses that a server listens at, in an order that edits of other
// servers do not change.
std::string addresses_of(ngx_conf_t *cf, const ngx_http_core_srv_conf_t *server)
{
    auto *cmcf = static_cast<ngx_http_core_main_conf_t *>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    std::vector<std::string> found;
    if (cmcf->ports == nullptr) {
        return {};
    }
    auto *ports = static_cast<const ngx_http_conf_port_t *>(cmcf->ports->elts);
    for (ngx_uint_t i = 0; i < cmcf->ports->nelts; i++) {
        auto *addrs =
            static_cast<const ngx_http_conf_addr_t *>(ports[i].addrs.elts);
        for (ngx_uint_t j = 0; j < ports[i].addrs.nelts; j++) {
            auto **servers =
                static_cast<ngx_http_core_srv_conf_t **>(addrs[j].servers.elts);
            if (std::find(servers, servers + addrs[j].servers.nelts, server)
                != servers + addrs[j].servers.nelts) {
                found.push_back(copy(addrs[j].opt.addr_text));
            }
        }
    }
    std::sort(found.begin(), found.end());
    std::string addresses;
    for (const std::string &address : found) {
        addresses += address + ' ';
    }
    return addresses;
}

// The place of a location, in words that edits elsewhere in the file do not
// change: its server's addresses and name, and its own name.
std::string place_of(ngx_conf_t *cf, PlacedOffers &placed)
{
    auto *cscf = static_cast<ngx_http_core_srv_conf_t *>(
        ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module));
    auto *clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    if (placed.server != cscf) {
        placed.server = cscf;
        placed.server_words =
            addresses_of(cf, cscf) + "\n" + copy(cscf->server_name) + "\n";
    }
    return placed.server_words + copy(clcf->name);
}

// The main configuration of the cycle that runs now; nullptr at the first
// start, in a configuration test, and when another build of the module made it.
const MainConf *running_conf()
{
    auto *cycle = const_cast<ngx_cycle_t *>(ngx_cycle);
    if (cycle == nullptr || cycle->conf_ctx == nullptr
        || cycle->modules == nullptr || ngx_is_init_cycle(cycle)) {
        return nullptr;
    }
    bool ours = false;
    for (ngx_uint_t i = 0; cycle->modules[i]; i++) {
        ours = ours || cycle->modules[i] == &ngx_http_x402_module;
    }
    if (!ours || ngx_get_conf(cycle->conf_ctx, ngx_http_module) == nullptr) {
        return nullptr;
    }
    return static_cast<MainConf *>(
        ngx_http_cycle_get_module_main_conf(cycle, ngx_http_x402_module));
}

time_t last_payment_of(const PaymentOffer &offer)
{
    std::uint32_t longest = 0;
    for (const auto &option : offer.options()) {
        longest = std::max(longest, option.requirements.max_timeout_seconds);
    }
    return ngx_time() + static_cast<time_t>(longest);
}

void take_over(const LocationOffer &old, LocationOffer &location)
{
    for (const OldOffer &older : old.old_offers) {
        if (older.until > ngx_time()) {
            location.old_offers.push_back(older);
        }
    }
    bool moved =
        old.constant && location.constant
        && old.constant->accepts_json() != location.constant->accepts_json();
    if (moved) {
        location.old_offers.push_back(
            {old.constant, last_payment_of(*old.constant)});
    }
}

}  // namespace

bool keep_old_offers(ngx_conf_t *cf, LocationOffer &location)
{
    MainConf *mcf = main_conf(cf);
    if (mcf->placed_offers == nullptr) {
        mcf->placed_offers = pool_new<PlacedOffers>(cf->pool);
        if (mcf->placed_offers == nullptr) {
            return false;
        }
    }
    std::string place = place_of(cf, *mcf->placed_offers);
    const MainConf *running = running_conf();
    auto [made, first] =
        mcf->placed_offers->at.emplace(place, PlacedOffer{&location});
    if (!first) {
        // Money: it is unknown which of two offers at one place was meant, and
        // the cheaper one must not buy at the other.
        made->second.unique = false;
        made->second.location->old_offers.clear();
    } else if (running && running->placed_offers) {
        auto before = running->placed_offers->at.find(place);
        if (before != running->placed_offers->at.end()
            && before->second.unique) {
            take_over(*before->second.location, location);
        }
    }
    return true;
}

}  // namespace x402
