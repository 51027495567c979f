// The part of a location's offer that is the same for all unpaid requests is
// encoded when the configuration is read.
#include "nginx/offer/ngx_http_x402_extensions.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"

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
           && extensions_of(conf).is_constant() && is_constant(conf.description)
           && is_constant(conf.mime_type) && is_constant(conf.error);
}

}  // namespace

bool prepare_offers(ngx_conf_t *cf, LocationConf &conf)
{
    if (!can_be_prepared(conf)) {
        return true;
    }
    auto *prepared = pool_new<PreparedOffers>(cf->pool);
    if (prepared == nullptr) {
        return false;
    }
    const LocationOffer &location = location_offer(conf);
    std::string_view error = text_of(conf.error);
    std::string extensions = extensions_json(conf);
    ResourceInfo resource = {
        {}, text_of(conf.description), text_of(conf.mime_type)};
    Challenge challenge = {error.empty() ? kPaymentRequired : error,
                           error.empty(),
                           resource,
                           *location.constant,
                           extensions,
                           {}};
    for (const Dialect *dialect : location.dialects) {
        prepared->push_back(dialect->prepared_offer(challenge));
        if (!prepared->back() && !dialect->offer_header().empty()) {
            return true;  // its offer differs with each request
        }
    }
    conf.prepared = prepared;
    return true;
}

}  // namespace x402
