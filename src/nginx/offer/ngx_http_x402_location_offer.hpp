// What a location sells for, as configured: made once at merge, shared by
// pointer. Requests compare locations by this address. What is offered at this
// moment (variables, what the facilitator adds) is offer_now()'s to say.
#ifndef NGX_HTTP_X402_LOCATION_OFFER_HPP
#define NGX_HTTP_X402_LOCATION_OFFER_HPP

#include <memory>
#include <optional>
#include <vector>

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
    FacilitatorConf *facilitator = nullptr;   // own, the first of members
    const FacilitatorPeers *peers = nullptr;  // own
    // Instead of `terms`, where credits of a plan are asked for.
    std::optional<PlanTerms> plan;
    ngx_http_complex_value_t *credits = nullptr;
    FacilitatorConf *plan_pages = nullptr;
    bool in_full = false;  // nothing was left for us or a facilitator to add

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
    std::vector<LocationTerm> terms;
    // Of all terms; nullptr when one of them has variables.
    std::shared_ptr<const PaymentOffer> constant;
    bool with_supported = false;  // facilitators add to a constant way
    Dialects dialects;            // never empty; best first
    std::vector<OldOffer> old_offers;
};

// With what version 1 calls the network.
inline PaymentRequirements named(PaymentRequirements requirements)
{
    requirements.v1_network =
        v1_network_name(requirements.network).value_or("");
    return requirements;
}

enum class OfferState {
    made,
    free,     // the price is the word "free"
    failed,   // a value is unusable; logged, nothing may be sold
    unready,  // what the facilitator has to add is not known yet
    waiting,  // the same, and the answer is under way to this worker
};

// What the location offers to this request.
OfferState offer_now(ngx_http_request_t *r, const LocationConf &conf,
                     std::shared_ptr<const PaymentOffer> &offer);

inline const LocationOffer &location_offer(const LocationConf &conf)
{
    return *conf.offer;
}

// Who may be asked about the payment option that comes from this term, in
// order. Empty: an offer that a reload replaced had more terms than there are
// now.
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

}  // namespace x402

#endif
