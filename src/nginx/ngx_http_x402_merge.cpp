// What a location inherits, and the offer it makes of that.
#include <vector>

#include "base/base64_codec.hpp"
#include "facilitator/facilitator_url.hpp"
#include "nginx/ngx_http_x402_error_pages.hpp"
#include "nginx/ngx_http_x402_facilitator_conf.hpp"
#include "nginx/ngx_http_x402_log.hpp"
#include "nginx/ngx_http_x402_manners.hpp"
#include "nginx/ngx_http_x402_zone.hpp"
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

void complain(ngx_conf_t *cf, ngx_uint_t level, const std::string &sentence,
              const ngx_http_x402_origin_t &origin)
{
    ngx_log_error(level, cf->log, 0, "%*s in %V:%ui", sentence.size(),
                  sentence.data(), &origin.file, origin.line);
}

void inherit(ngx_str_t &own, const ngx_str_t &outer)
{
    if (own.data == nullptr) {
        own = outer;
    }
}

bool writes_terms(const ngx_http_x402_loc_conf_t &conf)
{
    return conf.price.data || conf.network.data || conf.pay_to.data
           || conf.accepts || conf.timeout != NGX_CONF_UNSET_UINT;
}

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

bool offer_size_ok(ngx_conf_t *cf, const ngx_http_x402_loc_conf_t &conf,
                   const PaymentOffer &offer)
{
    std::string description = constant_of(conf.description);
    std::string mime_type = constant_of(conf.mime_type);
    std::string url = constant_of(conf.resource);
    std::string error = constant_of(conf.error);
    std::string header = base64_encode(payment_required_json(
        error.empty() ? kPaymentRequired : error, {url, description, mime_type},
        offer.accepts_json()));
    if (header.size() > kMaxOfferBytes) {
        complain(cf, NGX_LOG_EMERG,
                 "the offer takes " + std::to_string(header.size())
                     + " bytes of response header, more than "
                     + std::to_string(kMaxOfferBytes)
                     + "; shorten the description or offer fewer ways to pay",
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

// Builds the offer of a level. False: an error was printed.
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
    if (!offer_size_ok(cf, conf, *offer)) {
        return false;
    }
    warn_of_mixed_networks(cf, *offer, conf.origin);
    conf.offer = offer;
    return true;
}

// Whether everything an offer needs has been written somewhere.
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

void merge_settings(ngx_http_x402_loc_conf_t &conf,
                    const ngx_http_x402_loc_conf_t &outer)
{
    inherit(conf.price, outer.price);
    inherit(conf.network, outer.network);
    inherit(conf.pay_to, outer.pay_to);
    inherit(conf.facilitator_url, outer.facilitator_url);
    inherit(conf.trusted_certificate, outer.trusted_certificate);
    if (conf.accepts == nullptr) {
        conf.accepts = outer.accepts;
    }
    if (conf.methods == nullptr) {
        conf.methods = outer.methods;
    }
    if (conf.origin.line == 0) {
        conf.origin = outer.origin;
    }
    ngx_conf_merge_uint_value(conf.timeout, outer.timeout, 300);
    ngx_conf_merge_msec_value(conf.connect_timeout, outer.connect_timeout,
                              2000);
    ngx_conf_merge_msec_value(conf.verify_timeout, outer.verify_timeout, 5000);
    ngx_conf_merge_msec_value(conf.settle_timeout, outer.settle_timeout, 60000);
    ngx_conf_merge_value(conf.ssl_verify, outer.ssl_verify, 1);
    ngx_conf_merge_uint_value(conf.max_calls, outer.max_calls, 1024);
    ngx_conf_merge_ptr_value(conf.resource, outer.resource, nullptr);
    ngx_conf_merge_ptr_value(conf.description, outer.description, nullptr);
    ngx_conf_merge_ptr_value(conf.mime_type, outer.mime_type, nullptr);
    ngx_conf_merge_ptr_value(conf.redeliver_key, outer.redeliver_key, nullptr);
    ngx_conf_merge_uint_value(conf.settle, outer.settle,
                              NGX_HTTP_X402_SETTLE_AFTER);
    ngx_conf_merge_size_value(conf.settle_buffer, outer.settle_buffer, 65536);
    ngx_conf_merge_msec_value(conf.settle_wait, outer.settle_wait, 1000);
    ngx_conf_merge_uint_value(conf.unproven, outer.unproven,
                              NGX_HTTP_X402_UNPROVEN_DELIVER);
    ngx_conf_merge_value(conf.forward_payment, outer.forward_payment, 0);
    merge_manners(conf, outer);
}

// Nearest wins: `x402 on|off` of this level, else a price of this level, else
// what is outside.
bool decide_enabled(const ngx_http_x402_loc_conf_t &conf,
                    const ngx_http_x402_loc_conf_t &outer, bool price_written)
{
    if (conf.written != NGX_CONF_UNSET) {
        return conf.written == 1;
    }
    return price_written || outer.enabled;
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

char *merge(ngx_conf_t *cf, ngx_http_x402_loc_conf_t &outer,
            ngx_http_x402_loc_conf_t &conf)
{
    ngx_http_x402_main_conf_t *mcf = main_conf(cf);
    bool is_server = &outer == mcf->http_loc_conf;
    if (is_server) {
        // Nothing merges the http level itself.
        outer.enabled = outer.written != NGX_CONF_UNSET
                            ? outer.written == 1
                            : outer.price.data || outer.accepts;
    }

    bool price_written = conf.price.data || conf.accepts;
    bool terms_written = writes_terms(conf);
    bool own_price_directive = conf.price.data != nullptr;
    conf.enabled = decide_enabled(conf, outer, price_written);
    conf.own = !is_server && (price_written || outer.own);
    merge_settings(conf, outer);
    static_cast<ErrorPageCheck *>(mcf->error_pages)->note(cf, conf);

    if (!conf.enabled) {
        return NGX_CONF_OK;
    }
    mcf->paid = 1;
    if (!is_complete(conf)) {
        // What a server leaves open its locations may fill in. Should a
        // request be served by the server level itself, it is refused.
        return is_server ? NGX_CONF_OK : report_incomplete(cf, conf);
    }
    warn_of_unused_price(cf, conf, own_price_directive);

    if (!terms_written && outer.offer != nullptr) {
        conf.offer = outer.offer;
    } else if (!build_offer(cf, conf)) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    conf.facilitator = find_or_add_facilitator(cf, conf);
    return conf.facilitator ? NGX_CONF_OK : static_cast<char *>(NGX_CONF_ERROR);
}

}  // namespace

}  // namespace x402

using namespace x402;

void *ngx_http_x402_create_main_conf(ngx_conf_t *cf)
{
    auto *mcf = static_cast<ngx_http_x402_main_conf_t *>(
        ngx_pcalloc(cf->pool, sizeof(ngx_http_x402_main_conf_t)));
    if (mcf == nullptr
        || ngx_array_init(&mcf->facilitators, cf->pool, 2, sizeof(void *))
               != NGX_OK) {
        return nullptr;
    }
    return mcf;
}

void *ngx_http_x402_create_loc_conf(ngx_conf_t *cf)
{
    auto *conf = static_cast<ngx_http_x402_loc_conf_t *>(
        ngx_pcalloc(cf->pool, sizeof(ngx_http_x402_loc_conf_t)));
    if (conf == nullptr) {
        return nullptr;
    }
    // set by ngx_pcalloc(): strings, arrays, bits, offer, facilitator
    conf->written = NGX_CONF_UNSET;
    conf->timeout = NGX_CONF_UNSET_UINT;
    conf->connect_timeout = NGX_CONF_UNSET_MSEC;
    conf->verify_timeout = NGX_CONF_UNSET_MSEC;
    conf->settle_timeout = NGX_CONF_UNSET_MSEC;
    conf->ssl_verify = NGX_CONF_UNSET;
    conf->max_calls = NGX_CONF_UNSET_UINT;
    conf->resource =
        static_cast<ngx_http_complex_value_t *>(NGX_CONF_UNSET_PTR);
    conf->description =
        static_cast<ngx_http_complex_value_t *>(NGX_CONF_UNSET_PTR);
    conf->mime_type =
        static_cast<ngx_http_complex_value_t *>(NGX_CONF_UNSET_PTR);
    conf->redeliver_key =
        static_cast<ngx_http_complex_value_t *>(NGX_CONF_UNSET_PTR);
    conf->settle = NGX_CONF_UNSET_UINT;
    conf->settle_buffer = NGX_CONF_UNSET_SIZE;
    conf->settle_wait = NGX_CONF_UNSET_MSEC;
    conf->unproven = NGX_CONF_UNSET_UINT;
    conf->forward_payment = NGX_CONF_UNSET;
    unset_manners(*conf);
    return conf;
}

char *ngx_http_x402_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    return guarded(cf->log, static_cast<char *>(NGX_CONF_ERROR), [&] {
        return merge(cf, *static_cast<ngx_http_x402_loc_conf_t *>(parent),
                     *static_cast<ngx_http_x402_loc_conf_t *>(child));
    });
}

ngx_int_t ngx_http_x402_preconfiguration(ngx_conf_t *cf)
{
    return guarded(cf->log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        ngx_http_x402_main_conf_t *mcf = main_conf(cf);
        // The context is the http block's own here; merge tells servers by it.
        mcf->http_loc_conf = static_cast<ngx_http_x402_loc_conf_t *>(
            ngx_http_conf_get_module_loc_conf(cf, ngx_http_x402_module));
        mcf->error_pages = pool_new<ErrorPageCheck>(cf->pool);
        return static_cast<ngx_int_t>(mcf->error_pages ? NGX_OK : NGX_ERROR);
    });
}
