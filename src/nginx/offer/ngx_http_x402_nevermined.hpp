// SPDX-License-Identifier: Apache-2.0
// Nevermined as configured: the backend, the key, and the directives that need
// them.
#ifndef NGX_HTTP_X402_NEVERMINED_HPP
#define NGX_HTTP_X402_NEVERMINED_HPP

#include "nginx/call/ngx_http_x402_facilitator_conf.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"

namespace x402 {

// x402_nevermined.
struct NeverminedConf {
    std::string backend;  // base URL
    bool live = false;    // real money
    const FacilitatorAuth *auth = nullptr;
};

// Whether the location is paid by bearer tokens.
bool uses_bearer_tokens(const LocationConf &conf);

// x402_settle_failure, by default as the dialect has it.
bool delivers_unsettled(const LocationConf &conf);

// The names of token headers, best first; those of the location or the
// dialect's own. Lifetime: the configuration cycle.
std::vector<std::string_view> token_headers(const LocationConf &conf);

// Why the settings for plans and tokens contradict each other, after merge;
// empty: they do not.
std::string validate_tokens(const LocationConf &conf);

// The terms of an accept with a plan, without its timeout. Precondition:
// conf.nevermined is set.
PlanTerms plan_words(const LocationConf &conf, const AcceptWords &accept);

// The backend, as the facilitator that verifies and settles, and as the place
// of its pages about plans, without the key. nullptr: no memory. Call only
// with conf.nevermined.
FacilitatorConf *add_backend(ngx_conf_t *cf, const LocationConf &conf);
FacilitatorConf *add_plan_pages(ngx_conf_t *cf, const LocationConf &conf);

}  // namespace x402

#endif
