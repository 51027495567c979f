// Nevermined as configured: the backend, the key, and the directives that need
// them.
#ifndef NGX_HTTP_X402_NEVERMINED_HPP
#define NGX_HTTP_X402_NEVERMINED_HPP

#include "nginx/call/ngx_http_x402_facilitator_conf.hpp"
#include "nginx/offer/ngx_http_x402_location_offer.hpp"

namespace x402 {

// x402_nevermined.
struct NeverminedConf {
    std::string backend;  // base URL
    bool live = false;    // real money
    const FacilitatorAuth *auth = nullptr;
};

// The location is paid by tokens.
bool uses_bearer_tokens(const LocationConf &conf);

// x402_settle_failure, by default as the dialect has it.
bool delivers_unsettled(const LocationConf &conf);

// The names of token headers, best first; those of the location or the
// dialect's own. Lifetime: the configuration cycle.
std::vector<std::string_view> token_headers(const LocationConf &conf);

// Why what is written about plans and tokens cannot stand together, after
// merge; empty: it can.
std::string validate_tokens(const LocationConf &conf);

// The words of an accept with a plan, its timeout left out. Call only with
// conf.nevermined.
PlanTerms plan_words(const LocationConf &conf, const AcceptWords &accept);

// The backend, as the facilitator that verifies and settles, and as the place
// of its pages about plans, without the key. nullptr: no memory. Call only
// with conf.nevermined.
FacilitatorConf *add_backend(ngx_conf_t *cf, const LocationConf &conf);
FacilitatorConf *add_plan_pages(ngx_conf_t *cf, const LocationConf &conf);

}  // namespace x402

#endif
