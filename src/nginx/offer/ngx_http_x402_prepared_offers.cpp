// SPDX-License-Identifier: Apache-2.0
// The part of a location's offer that is the same for all unpaid requests is
// encoded when the configuration is read.
#include "nginx/offer/ngx_http_x402_prepared_offers.hpp"

#include <algorithm>
#include <tuple>

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_extensions.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"
#include "nginx/offer/ngx_http_x402_service.hpp"
#include "nginx/offer/ngx_http_x402_signing.hpp"
#include "policy/challenge_body.hpp"
#include "policy/claim_key.hpp"

namespace x402 {

namespace {

bool is_constant(const ngx_http_complex_value_t *value)
{
    return value == nullptr || value->lengths == nullptr;
}

std::string_view text_of(const ngx_http_complex_value_t *value)
{
    return value ? view(value->value) : std::string_view();
}

// Whether nothing but the offer itself, the URL and the method can differ from
// one 402 to the next.
bool is_constant_around(const LocationConf &conf)
{
    return signer_of(conf) == nullptr
           && conf.sign_in == nullptr  // a nonce for each
           && conf.batch != NGX_HTTP_X402_BATCH_SUM
           && extensions_of(conf).vary_by_method_only()
           && is_constant(conf.description) && is_constant(conf.mime_type)
           && is_constant(conf.error);
}

// False: an offer header differs with each request.
bool prepare_headers(const LocationOffer &location, const Challenge &challenge,
                     PreparedOffers &prepared)
{
    for (const Dialect *dialect : location.dialects) {
        prepared.headers.push_back(dialect->prepared_offer(challenge));
        if (!prepared.headers.back() && !dialect->offer_header().empty()) {
            return false;
        }
    }
    return true;
}

void prepare_body(const LocationOffer &location, const Challenge &challenge,
                  PreparedOffers &prepared)
{
    for (const Dialect *dialect : location.dialects) {
        if (dialect->offers_in_body()) {
            prepared.body = dialect->prepared_body(challenge);
            return;
        }
    }
}

// The challenge to an unpaid request, without its URL. Lifetime: the views are
// into the configuration and `extensions`.
struct PreparedChallenge {
    PreparedChallenge(const LocationConf &conf, const PaymentOffer &offer)
        : extensions(extensions_json(conf)),
          resource{{},
                   text_of(conf.description),
                   text_of(conf.mime_type),
                   kPreparedMethod}
    {
        resource.service = service_members(conf);
        std::string_view error = text_of(conf.error);
        challenge.emplace(Challenge{error.empty() ? kPaymentRequired : error,
                                    error.empty(),
                                    resource,
                                    offer,
                                    extensions,
                                    {}});
    }
    PreparedChallenge(const PreparedChallenge &) = delete;
    PreparedChallenge &operator=(const PreparedChallenge &) = delete;

    std::string extensions;
    ResourceInfo resource;
    std::optional<Challenge> challenge;
};

std::string body_text(const LocationConf &conf, const Challenge &challenge)
{
    const Dialect &first = *location_offer(conf).dialects.front();
    return challenge_body_json(challenge.error, &challenge.offer,
                               first.offer_header(), service_help(conf));
}

bool prepare(const LocationConf &conf, const Challenge &challenge,
             PreparedOffers &prepared)
{
    const LocationOffer &location = location_offer(conf);
    prepared.headers_vary = !extensions_of(conf).is_constant();
    if (!prepare_headers(location, challenge, prepared)) {
        return false;
    }
    prepare_body(location, challenge, prepared);
    return true;
}

void add_to_hash(std::size_t &hash, std::string_view text)
{
    hash = hash * 31 + std::hash<std::string_view>()(text);
}

// Everything that goes into what is prepared.
auto parts_of(const LocationConf &conf, const Challenge &challenge)
{
    return std::tie(challenge.unpaid, challenge.error,
                    challenge.resource.description,
                    challenge.resource.mime_type, challenge.resource.service,
                    challenge.extensions_json, location_offer(conf).dialects);
}

std::size_t hash_of(const Challenge &challenge)
{
    std::size_t hash = std::hash<const void *>()(&challenge.offer);
    for (std::string_view text :
         {challenge.error, challenge.resource.description,
          challenge.resource.mime_type, challenge.resource.service,
          challenge.extensions_json}) {
        add_to_hash(hash, text);
    }
    return hash;
}

// nullptr: nothing was prepared from the same yet.
const LocationConf *prepared_before(const SharedOffers &shared,
                                    std::size_t hash, const LocationConf &conf,
                                    const Challenge &challenge)
{
    auto [at, end] = shared.prepared.equal_range(hash);
    for (; at != end; ++at) {
        const LocationConf &other = *at->second;
        if (location_offer(other).constant.get() != &challenge.offer) {
            continue;
        }
        PreparedChallenge made(other, challenge.offer);
        if (parts_of(other, *made.challenge) == parts_of(conf, challenge)) {
            return &other;
        }
    }
    return nullptr;
}

// Whether an offer of these terms is shared.
bool are_shared(const std::vector<LocationTerm> &terms)
{
    return std::none_of(terms.begin(), terms.end(),
                        [](const LocationTerm &term) {
                            return term.plan || term.is_variable();
                        });
}

std::size_t hash_of(const std::vector<LocationTerm> &terms)
{
    std::size_t hash = terms.size();
    for (const LocationTerm &term : terms) {
        for (const std::string *word :
             {&term.terms.price, &term.terms.amount, &term.terms.network,
              &term.terms.pay_to, &term.terms.asset}) {
            add_to_hash(hash, *word);
        }
    }
    return hash;
}

std::shared_ptr<const PaymentOffer>
offer_before(const SharedOffers &shared, std::size_t hash,
             const std::vector<LocationTerm> &terms)
{
    auto [at, end] = shared.offers.equal_range(hash);
    for (; at != end; ++at) {
        const LocationOffer &other = *at->second;
        if (std::equal(terms.begin(), terms.end(), other.terms.begin(),
                       other.terms.end(),
                       [](const LocationTerm &own, const LocationTerm &its) {
                           return own.terms == its.terms;
                       })) {
            return other.constant;
        }
    }
    return nullptr;
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
        requirements->v1_network =
            v1_network_name(requirements->network).value_or("");
        offer.add(std::move(requirements.value()), i);
    }
    return true;
}

}  // namespace

bool prepare_offers(ngx_conf_t *cf, LocationConf &conf)
{
    const LocationOffer &location = location_offer(conf);
    if (!location.constant || location.with_supported
        || !is_constant_around(conf)) {
        return true;
    }
    SharedOffers *shared = shared_offers(cf);
    if (shared == nullptr) {
        return false;
    }
    PreparedChallenge made(conf, *location.constant);
    const Challenge &challenge = *made.challenge;
    conf.prepared_body = pool_copy(cf->pool, body_text(conf, challenge));
    if (conf.prepared_body.data == nullptr) {
        return false;
    }
    std::size_t hash = hash_of(challenge);
    if (auto *other = prepared_before(*shared, hash, conf, challenge)) {
        conf.prepared = other->prepared;
        return true;
    }
    shared->prepared.emplace(hash, &conf);
    auto *prepared = pool_new<PreparedOffers>(cf->pool);
    if (prepared == nullptr) {
        return false;
    }
    if (prepare(conf, challenge, *prepared)) {
        conf.prepared = prepared;
    }
    return true;
}

std::shared_ptr<const PreparedAnswer> prepare_answer(const LocationConf &conf,
                                                     const PaymentOffer &offer)
{
    if (!is_constant_around(conf)) {
        return nullptr;
    }
    PreparedChallenge made(conf, offer);
    auto prepared = std::make_shared<PreparedAnswer>();
    if (!prepare(conf, *made.challenge, prepared->offers)) {
        return nullptr;
    }
    prepared->body = body_text(conf, *made.challenge);
    return prepared;
}

std::shared_ptr<const PaymentOffer>
constant_options(ngx_conf_t *cf, const LocationOffer &location)
{
    SharedOffers *shared = shared_offers(cf);
    if (shared == nullptr) {
        return nullptr;
    }
    bool with_others = are_shared(location.terms);
    std::size_t hash = with_others ? hash_of(location.terms) : 0;
    if (with_others) {
        if (auto other = offer_before(*shared, hash, location.terms)) {
            return other;
        }
    }
    auto made = std::make_shared<PaymentOffer>();
    if (!build_options(cf, location, *made)) {
        return nullptr;
    }
    if (made->options().size() == location.terms.size()) {
        made->prepare(terms_digest);
    }
    if (with_others) {
        shared->offers.emplace(hash, &location);
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

}  // namespace x402
