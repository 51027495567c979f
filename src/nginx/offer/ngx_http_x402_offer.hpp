// SPDX-License-Identifier: Apache-2.0
// What a location sells, as configured: made once at merge, shared by
// pointer. Requests compare locations by this address. What is offered at this
// moment (variables, what the facilitator adds): request/offer_now.
#ifndef NGX_HTTP_X402_OFFER_HPP
#define NGX_HTTP_X402_OFFER_HPP

#include <memory>
#include <vector>

#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "nginx/offer/ngx_http_x402_facilitator_group.hpp"
#include "policy/accept_terms.hpp"
#include "policy/network_table.hpp"
#include "policy/plan_terms.hpp"
#include "protocol/dialect.hpp"

namespace x402 {

// One x402_accept, or the one that price, network and address make. A value
// with variables is compiled here; `terms` has its text.
struct LocationTerm {
    AcceptTerms terms;
    ngx_http_complex_value_t *price = nullptr;
    ngx_http_complex_value_t *amount = nullptr;
    ngx_http_complex_value_t *pay_to = nullptr;
    ConfOrigin origin{};
    FacilitatorConf *facilitator = nullptr;   // own, the first of peers
    const FacilitatorPeers *peers = nullptr;  // own
    // Instead of `terms`, where credits of a plan are asked for.
    std::unique_ptr<PlanTerms> plan;
    ngx_http_complex_value_t *credits = nullptr;
    FacilitatorConf *plan_pages = nullptr;
    bool in_full = false;  // neither the module nor a facilitator adds to it

    bool is_variable() const
    {
        return price || amount || pay_to || credits
               || (plan && plan->is_open());
    }
};

// What a reload replaced, for clients that were offered it (`until`: unix
// time).
struct OldOffer {
    std::shared_ptr<const PaymentOffer> offer;
    time_t until;
};

struct LocationOffer {
    // None: a signature alone is asked for (x402_sign_in only).
    std::vector<LocationTerm> terms;
    // Of all terms; nullptr when one of them has variables.
    std::shared_ptr<const PaymentOffer> constant;
    bool with_supported = false;  // facilitators add to a constant option
    Dialects dialects;            // never empty; best first
    std::vector<OldOffer> old_offers;
};

// Adds the name that version 1 has for the network.
inline PaymentRequirements named(PaymentRequirements requirements)
{
    requirements.v1_network =
        v1_network_name(requirements.network).value_or("");
    return requirements;
}

inline const LocationOffer &location_offer(const LocationConf &conf)
{
    return *conf.offer;
}

// The peers for the payment option that comes from this term, in order. Empty:
// an offer that a reload replaced had more terms than there are now.
inline const FacilitatorPeers &peers_of(const LocationConf &conf,
                                        std::size_t term)
{
    static const FacilitatorPeers none;
    const auto &terms = location_offer(conf).terms;
    const FacilitatorPeers *own =
        term < terms.size() ? terms[term].peers : nullptr;
    const FacilitatorPeers *peers = own ? own : conf.facilitator_peers;
    return peers ? *peers : none;
}

// Builds conf.offer. False: an error was printed.
bool build_offer(ngx_conf_t *cf, LocationConf &conf);

// Checks the size of an offer that is shared with another location, where a
// setting beside it makes it longer. False: an error was printed.
bool offer_size_ok(ngx_conf_t *cf, const LocationConf &conf);

void warn_of_unused_price(ngx_conf_t *cf, const LocationConf &conf,
                          bool price_written);

}  // namespace x402

#endif
