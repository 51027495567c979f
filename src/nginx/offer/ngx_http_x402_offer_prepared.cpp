// SPDX-License-Identifier: Apache-2.0
// The part of a location's offer that is the same for all unpaid requests is
// encoded when the configuration is read.
#include "nginx/offer/ngx_http_x402_extensions.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"
#include "nginx/offer/ngx_http_x402_prepared_offers.hpp"
#include "nginx/offer/ngx_http_x402_service.hpp"
#include "nginx/offer/ngx_http_x402_shared_offers.hpp"
#include "nginx/offer/ngx_http_x402_signing.hpp"
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

bool can_be_prepared(const LocationConf &conf)
{
    const LocationOffer &location = location_offer(conf);
    return location.constant && !location.with_supported
           && signer_of(conf) == nullptr
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

}  // namespace

bool prepare_offers(ngx_conf_t *cf, LocationConf &conf)
{
    if (!can_be_prepared(conf)) {
        return true;
    }
    SharedOffers *shared = shared_offers(cf);
    if (shared == nullptr) {
        return false;
    }
    const LocationOffer &location = location_offer(conf);
    std::string_view error = text_of(conf.error);
    std::string extensions = extensions_json(conf);
    ResourceInfo resource = {{},
                             text_of(conf.description),
                             text_of(conf.mime_type),
                             kPreparedMethod};
    resource.service = service_members(conf);
    Challenge challenge = {error.empty() ? kPaymentRequired : error,
                           error.empty(),
                           resource,
                           *location.constant,
                           extensions,
                           {}};
    conf.prepared_body = pool_copy(
        cf->pool,
        plain_challenge_json(challenge.error, location.constant.get(),
                             location.dialects.front()->offer_header(),
                             service_help(conf)));
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
    prepared->headers_vary = !extensions_of(conf).is_constant();
    if (prepare_headers(location, challenge, *prepared)) {
        prepare_body(location, challenge, *prepared);
        conf.prepared = at->second = prepared;
    }
    return true;
}

}  // namespace x402
