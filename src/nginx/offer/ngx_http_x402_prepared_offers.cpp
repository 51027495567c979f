// SPDX-License-Identifier: Apache-2.0
// The part of a location's offer that is the same for all unpaid requests is
// encoded when the configuration is read.
#include "nginx/offer/ngx_http_x402_prepared_offers.hpp"

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_extensions.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"
#include "nginx/offer/ngx_http_x402_service.hpp"
#include "nginx/offer/ngx_http_x402_signing.hpp"
#include "policy/claim_key.hpp"
#include "policy/plain_challenge.hpp"

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
    return !location_offer(conf).with_supported && signer_of(conf) == nullptr
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
    return plain_challenge_json(challenge.error, &challenge.offer,
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

// Everything that goes into what is prepared.
std::string key_of(const LocationConf &conf, const Challenge &challenge)
{
    const LocationOffer &location = location_offer(conf);
    std::string key;
    append_part(key, std::to_string(
                         reinterpret_cast<std::uintptr_t>(&challenge.offer)));
    for (const Dialect *dialect : location.dialects) {
        append_part(key, dialect->name());
    }
    for (std::string_view text :
         {std::string_view(challenge.unpaid ? "unpaid" : "error"),
          challenge.error, challenge.resource.description,
          challenge.resource.mime_type, challenge.resource.service,
          challenge.extensions_json}) {
        append_part(key, text);
    }
    return key;
}

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

bool prepare_offers(ngx_conf_t *cf, LocationConf &conf)
{
    const LocationOffer &location = location_offer(conf);
    if (!location.constant || !is_constant_around(conf)) {
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
    auto [at, added] =
        shared->prepared.emplace(key_of(conf, challenge), nullptr);
    if (!added) {
        conf.prepared = at->second;
        return true;
    }
    auto *prepared = pool_new<PreparedOffers>(cf->pool);
    if (prepared == nullptr) {
        return false;
    }
    if (prepare(conf, challenge, *prepared)) {
        conf.prepared = at->second = prepared;
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
