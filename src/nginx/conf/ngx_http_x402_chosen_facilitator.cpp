// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_chosen_facilitator.hpp"

#include <algorithm>

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_facilitator_group.hpp"
#include "nginx/offer/ngx_http_x402_nevermined.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"
#include "nginx/offer/ngx_http_x402_sign_in_rules.hpp"

namespace x402 {

namespace {

// An option that is offered in version 2 may also be offered in version 1: the
// facilitator does not have to list both.
void record_needs(const LocationOffer &offer, const FacilitatorPeers *common)
{
    bool in_version_2 =
        std::find(offer.dialects.begin(), offer.dialects.end(), &dialect_v2())
        != offer.dialects.end();
    for (const LocationTerm &term : offer.terms) {
        std::string scheme = term.terms.scheme_or_default();
        std::string network = caip2_network(term.terms.network).value_or("");
        auto old_name = v1_network_name(network);
        for (FacilitatorConf *peer : term.peers ? *term.peers : *common) {
            peer->wanted = peer->wanted || !term.in_full;
            if (in_version_2) {
                peer->need(scheme, network);
            } else if (old_name) {
                peer->need(scheme, *old_name, 1);
            }
        }
    }
}

}  // namespace

bool choose_facilitator(ngx_conf_t *cf, LocationConf &conf)
{
    if (asks_signature_alone(conf)) {
        return true;
    }
    const LocationOffer &offer = location_offer(conf);
    bool tokens = uses_bearer_tokens(conf);
    if (conf.facilitator_url.data == nullptr && !tokens) {
        // Every payment option has one of its own.
        record_needs(offer, nullptr);
        return true;
    }
    std::string error = tokens ? std::string() : validate_credentials(conf);
    if (!error.empty()) {
        log_conf(cf, NGX_LOG_EMERG, error, conf.origin);
        return false;
    }
    if (tokens) {
        conf.facilitator = add_backend(cf, conf);
        conf.facilitator_peers =
            conf.facilitator ? pool_new<FacilitatorPeers>(
                cf->pool, FacilitatorPeers{conf.facilitator})
                             : nullptr;
        return conf.facilitator_peers != nullptr;
    }
    const FacilitatorPeers *peers = find_or_add_peers(
        cf, conf, conf.facilitator_url, conf.facilitator_origin);
    if (peers == nullptr) {
        return false;
    }
    record_needs(offer, peers);
    conf.facilitator = peers->front();
    conf.facilitator_peers = peers;
    return true;
}

}  // namespace x402
