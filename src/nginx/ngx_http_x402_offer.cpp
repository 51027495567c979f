#include "nginx/ngx_http_x402_offer.hpp"

#include "base/base64_codec.hpp"
#include "nginx/ngx_http_x402_extensions.hpp"
#include "nginx/ngx_http_x402_log.hpp"
#include "policy/accept_terms.hpp"
#include "policy/network_table.hpp"
#include "policy/payment_offer.hpp"
#include "protocol/payment_payload.hpp"
#include "protocol/payment_required.hpp"

namespace x402 {

namespace {

// Bounds for the PAYMENT-REQUIRED value: clients echo the offer in a request
// header, hosted verifiers choke above the first, nginx's own default header
// buffers at the second.
constexpr std::size_t kLargeOfferBytes = 3584;
constexpr std::size_t kMaxOfferBytes = 8192;

AcceptTerms terms_of(const ngx_http_x402_loc_conf_t &conf,
                     const ngx_http_x402_accept_t &accept)
{
    AcceptTerms terms;
    terms.network = copy(accept.network.data ? accept.network : conf.network);
    terms.pay_to = copy(accept.pay_to.data ? accept.pay_to : conf.pay_to);
    terms.price = copy(accept.price);
    // An accept that names an amount of its own does not want the price.
    if (!accept.price.data && !accept.amount.data) {
        terms.price = copy(conf.price);
    }
    terms.amount = copy(accept.amount);
    terms.asset = copy(accept.asset);
    terms.decimals = copy(accept.decimals);
    terms.scheme = copy(accept.scheme);
    terms.extra = copy(accept.extra);
    terms.timeout_seconds = static_cast<std::uint32_t>(
        accept.timeout != NGX_CONF_UNSET_UINT ? accept.timeout : conf.timeout);
    return terms;
}

void warn_of_mixed_networks(ngx_conf_t *cf, const PaymentOffer &offer,
                            const ngx_http_x402_origin_t &origin)
{
    const std::string *test = nullptr;
    const std::string *real = nullptr;
    for (const auto &way : offer.ways()) {
        auto testnet = is_testnet(way.requirements.network);
        if (testnet) {
            (*testnet ? test : real) = &way.requirements.network;
        }
    }
    if (test && real) {
        complain(cf, NGX_LOG_WARN,
                 "the offer sells for test money on \"" + *test
                     + "\" what it sells for real money on \"" + *real + "\"",
                 origin);
    }
}

std::string constant_of(const ngx_http_complex_value_t *value)
{
    return value && !value->lengths ? copy(value->value) : std::string();
}

bool measure(ngx_conf_t *cf, const ngx_http_x402_loc_conf_t &conf,
             const PaymentOffer &offer)
{
    std::string description = constant_of(conf.description);
    std::string mime_type = constant_of(conf.mime_type);
    std::string url = constant_of(conf.resource);
    std::string error = constant_of(conf.error);
    std::string header = base64_encode(payment_required_json(
        error.empty() ? kPaymentRequired : error, {url, description, mime_type},
        offer.accepts_json(), extensions_json(conf)));
    if (header.size() > kMaxOfferBytes) {
        complain(cf, NGX_LOG_EMERG,
                 "the offer takes " + std::to_string(header.size())
                     + " bytes of response header, more than "
                     + std::to_string(kMaxOfferBytes)
                     + "; shorten description and extensions, or offer fewer "
                       "ways to pay",
                 conf.origin);
        return false;
    }
    if (header.size() > kLargeOfferBytes) {
        complain(cf, NGX_LOG_WARN,
                 "the offer takes " + std::to_string(header.size())
                     + " bytes of response header; some clients and hosted "
                       "facilitators fail above "
                     + std::to_string(kLargeOfferBytes),
                 conf.origin);
    }
    return true;
}

}  // namespace

bool is_complete(const ngx_http_x402_loc_conf_t &conf)
{
    if (conf.facilitator_url.data == nullptr) {
        return false;
    }
    if (conf.accepts == nullptr) {
        return conf.price.data && conf.network.data && conf.pay_to.data;
    }
    auto *accepts = static_cast<ngx_http_x402_accept_t *>(conf.accepts->elts);
    for (ngx_uint_t i = 0; i < conf.accepts->nelts; i++) {
        if ((!accepts[i].network.data && !conf.network.data)
            || (!accepts[i].pay_to.data && !conf.pay_to.data)
            || (!accepts[i].price.data && !accepts[i].amount.data
                && !conf.price.data)) {
            return false;
        }
    }
    return true;
}

char *report_incomplete(ngx_conf_t *cf, const ngx_http_x402_loc_conf_t &conf)
{
    std::string missing;
    bool no_way = conf.accepts == nullptr;
    if (no_way && !conf.price.data) {
        complain(cf, NGX_LOG_EMERG,
                 "\"x402 on\" has no price to ask for; write x402_price or "
                 "x402_accept",
                 conf.origin);
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    if (!conf.network.data) {
        missing = "a network; write x402_network";
    } else if (!conf.pay_to.data) {
        missing = "an address to be paid at; write x402_pay_to";
    } else if (!conf.price.data) {
        missing = "a price; write x402_price";
    }
    if (conf.facilitator_url.data == nullptr) {
        missing = "a facilitator to ask; write x402_facilitator";
    }
    complain(cf, NGX_LOG_EMERG, "this paid location lacks " + missing,
             conf.origin);
    return static_cast<char *>(NGX_CONF_ERROR);
}

bool build_offer(ngx_conf_t *cf, ngx_http_x402_loc_conf_t &conf)
{
    auto *offer = pool_new<PaymentOffer>(cf->pool);
    if (offer == nullptr) {
        return false;
    }
    ngx_http_x402_accept_t implied = ngx_http_x402_accept_t();
    implied.timeout = NGX_CONF_UNSET_UINT;
    implied.origin = conf.origin;
    auto *accepts =
        conf.accepts ? static_cast<ngx_http_x402_accept_t *>(conf.accepts->elts)
                     : &implied;
    ngx_uint_t count = conf.accepts ? conf.accepts->nelts : 1;

    for (ngx_uint_t i = 0; i < count; i++) {
        auto requirements = build_requirements(terms_of(conf, accepts[i]));
        if (!requirements) {
            complain(cf, NGX_LOG_EMERG, requirements.problem().text,
                     accepts[i].origin);
            return false;
        }
        offer->add(std::move(requirements.value()));
    }
    if (!measure(cf, conf, *offer)) {
        return false;
    }
    warn_of_mixed_networks(cf, *offer, conf.origin);
    conf.offer = offer;
    return true;
}

bool offer_size_ok(ngx_conf_t *cf, const ngx_http_x402_loc_conf_t &conf)
{
    return measure(cf, conf, *static_cast<const PaymentOffer *>(conf.offer));
}

void warn_of_unused_price(ngx_conf_t *cf, const ngx_http_x402_loc_conf_t &conf,
                          bool price_written)
{
    if (!price_written || conf.accepts == nullptr) {
        return;
    }
    auto *accepts = static_cast<ngx_http_x402_accept_t *>(conf.accepts->elts);
    for (ngx_uint_t i = 0; i < conf.accepts->nelts; i++) {
        if (!accepts[i].price.data && !accepts[i].amount.data) {
            return;
        }
    }
    complain(cf, NGX_LOG_WARN,
             "x402_price has no effect here: every x402_accept of this level "
             "names its own price",
             conf.origin);
}

}  // namespace x402
