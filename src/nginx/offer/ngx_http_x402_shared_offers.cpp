// SPDX-License-Identifier: Apache-2.0
#include "nginx/offer/ngx_http_x402_shared_offers.hpp"

#include "nginx/core/ngx_http_x402_log.hpp"
#include "policy/claim_key.hpp"

namespace x402 {

namespace {

// The words of these terms; empty: their offer is not shared, because one of
// them has variables or asks for a plan.
std::string key_of(const std::vector<LocationTerm> &terms)
{
    std::string key;
    for (const LocationTerm &term : terms) {
        if (term.plan || term.is_variable()) {
            return {};
        }
        const AcceptTerms &words = term.terms;
        for (const std::string *word :
             {&words.network, &words.pay_to, &words.price, &words.amount,
              &words.asset, &words.decimals, &words.scheme, &words.extra}) {
            append_part(key, *word);
        }
        append_part(key, std::to_string(words.timeout_seconds));
        append_part(key, words.upfront ? "upfront" : "");
    }
    return key;
}

// The options of the constant terms; those with variables are checked as far as
// possible. False: an error was printed.
bool build_options(ngx_conf_t *cf, const LocationOffer &location,
                   PaymentOffer &offer)
{
    for (std::size_t i = 0; i < location.terms.size(); i++) {
        const LocationTerm &term = location.terms[i];
        if (term.is_variable()) {
            auto problem = term.plan ? check_plan_terms(*term.plan)
                                     : check_constant_part(term.terms);
            if (problem) {
                log_conf(cf, NGX_LOG_EMERG, problem->text, term.origin);
                return false;
            }
            continue;
        }
        auto requirements = term.plan ? plan_requirements(*term.plan)
                                      : build_requirements(term.terms);
        if (!requirements) {
            log_conf(cf, NGX_LOG_EMERG, requirements.problem().text,
                     term.origin);
            return false;
        }
        offer.add(named(std::move(requirements.value())), i);
    }
    return true;
}

}  // namespace

std::shared_ptr<const PaymentOffer>
constant_options(ngx_conf_t *cf, const LocationOffer &location)
{
    SharedOffers *shared = shared_offers(cf);
    if (shared == nullptr) {
        return nullptr;
    }
    std::string key = key_of(location.terms);
    auto at = shared->offers.find(key);
    if (!key.empty() && at != shared->offers.end()) {
        return at->second;
    }
    auto made = std::make_shared<PaymentOffer>();
    if (!build_options(cf, location, *made)) {
        return nullptr;
    }
    if (made->options().size() == location.terms.size()) {
        made->prepare(terms_digest);
    }
    if (!key.empty()) {
        shared->offers.emplace(std::move(key), made);
    }
    return made;
}

SharedOffers *shared_offers(ngx_conf_t *cf)
{
    MainConf *mcf = main_conf(cf);
    if (mcf->shared_offers == nullptr) {
        mcf->shared_offers = pool_new<SharedOffers>(cf->pool);
    }
    return mcf->shared_offers;
}

void append_part(std::string &key, std::string_view text)
{
    key.append(std::to_string(text.size())).push_back(':');
    key.append(text);
}

}  // namespace x402
