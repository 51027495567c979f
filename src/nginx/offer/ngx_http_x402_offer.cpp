// SPDX-License-Identifier: Apache-2.0
#include "nginx/offer/ngx_http_x402_offer.hpp"

#include <algorithm>

#include "base/base64_codec.hpp"
#include "nginx/core/ngx_http_x402_complex_value.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/offer/ngx_http_x402_nevermined.hpp"
#include "nginx/offer/ngx_http_x402_prepared_offers.hpp"
#include "nginx/offer/ngx_http_x402_replaced_offers.hpp"
#include "nginx/offer/ngx_http_x402_service.hpp"
#include "nginx/offer/ngx_http_x402_signing.hpp"
#include "policy/network_table.hpp"
#include "policy/price_text.hpp"
#include "policy/supported_extra.hpp"
#include "protocol/payment_payload.hpp"
#include "protocol/payment_required.hpp"

namespace x402 {

namespace {

// Bounds for the PAYMENT-REQUIRED value: clients echo the offer in a request
// header, hosted verifiers choke above the first, nginx's own default header
// buffers at the second.
constexpr std::size_t kLargeOfferBytes = 3584;
constexpr std::size_t kMaxOfferBytes = 8192;

struct TermWords {
    ngx_str_t price;
    ngx_str_t amount;
    ngx_str_t pay_to;
};

TermWords money_words(const LocationConf &conf, const AcceptWords &accept)
{
    TermWords words = {accept.price, accept.amount,
                       accept.pay_to.data ? accept.pay_to : conf.pay_to};
    // An accept with an amount of its own does not use the price.
    if (!accept.price.data && !accept.amount.data) {
        words.price = conf.price;
    }
    return words;
}

// The text goes into `out`; one with variables is compiled, too. False: an
// error was printed, or no memory.
bool take_value(ngx_conf_t *cf, ngx_str_t word, std::string &out,
                ngx_http_complex_value_t *&compiled)
{
    out = copy(word);
    if (!has_variable(out)) {
        return true;
    }
    compiled = compile_value(cf, word);
    return compiled != nullptr;
}

// In seconds: of this option, else of the location, else of its first dialect.
ngx_uint_t timeout_of(const LocationConf &conf, const AcceptWords &accept,
                      const LocationOffer &location)
{
    for (ngx_uint_t written : {accept.timeout, conf.timeout}) {
        if (written != NGX_CONF_UNSET_UINT) {
            return written;
        }
    }
    return location.dialects.front()->default_timeout();
}

// An option that asks for credits of a plan. False: an error was printed, or
// memory ran out.
bool read_plan(ngx_conf_t *cf, const LocationConf &conf,
               const AcceptWords &accept, const LocationOffer &location,
               LocationTerm &term)
{
    PlanTerms plan = plan_words(conf, accept);
    plan.timeout_seconds =
        static_cast<std::uint32_t>(timeout_of(conf, accept, location));
    term.origin = accept.origin;
    if (auto problem = check_plan_terms(plan)) {
        log_conf(cf, NGX_LOG_EMERG, problem->text, term.origin);
        return false;
    }
    if (!take_value(cf, accept.credits, plan.credits, term.credits)) {
        return false;
    }
    if (plan.is_open()) {
        term.plan_pages = add_plan_pages(cf, conf);
        if (term.plan_pages == nullptr) {
            return false;
        }
    }
    term.plan = std::make_unique<PlanTerms>(std::move(plan));
    return true;
}

bool read_term(ngx_conf_t *cf, const LocationConf &conf,
               const AcceptWords &accept, const LocationOffer &location,
               LocationTerm &term)
{
    if (accept.plan.data) {
        return read_plan(cf, conf, accept, location, term);
    }
    AcceptTerms &terms = term.terms;
    terms.network = copy(accept.network.data ? accept.network : conf.network);
    terms.asset = copy(accept.asset);
    terms.decimals = copy(accept.decimals);
    terms.scheme = copy(accept.scheme);
    terms.extra = copy(accept.extra);
    terms.timeout_seconds =
        static_cast<std::uint32_t>(timeout_of(conf, accept, location));
    terms.upfront = conf.settle == NGX_HTTP_X402_SETTLE_BEFORE;
    term.origin = accept.origin;
    if (accept.facilitator.data) {
        term.peers =
            find_or_add_peers(cf, conf, accept.facilitator, accept.origin);
        if (term.peers == nullptr) {
            return false;
        }
        term.facilitator = term.peers->front();
    }
    TermWords words = money_words(conf, accept);
    return take_value(cf, words.price, terms.price, term.price)
           && take_value(cf, words.amount, terms.amount, term.amount)
           && take_value(cf, words.pay_to, terms.pay_to, term.pay_to);
}

void warn_of_mixed_networks(ngx_conf_t *cf, const PaymentOffer &offer,
                            const ConfOrigin &origin)
{
    const std::string *test = nullptr;
    const std::string *real = nullptr;
    for (const auto &option : offer.options()) {
        auto testnet = is_testnet(option.requirements.network);
        if (testnet) {
            (*testnet ? test : real) = &option.requirements.network;
        }
    }
    if (test && real) {
        log_conf(cf, NGX_LOG_WARN,
                 "the offer sells for test money on \"" + *test
                     + "\" what it sells for real money on \"" + *real + "\"",
                 origin);
    }
}

std::string constant_of(const ngx_http_complex_value_t *value)
{
    return value && !value->lengths ? copy(value->value) : std::string();
}

// Whether the offer is far below the bounds, whatever JSON makes of its texts:
// it writes a character in up to six. Most are, and need not be written out.
bool is_small(const LocationConf &conf, const PaymentOffer &offer)
{
    constexpr std::size_t kWordsAround = 256;
    constexpr std::size_t kEscape = 6;

    if (conf.extensions != nullptr || signer_of(conf) != nullptr) {
        return false;
    }
    std::size_t texts = kPaymentRequired.size();
    for (auto *value :
         {conf.description, conf.mime_type, conf.resource, conf.error}) {
        texts += value ? value->value.len : 0;
    }
    std::size_t most =
        kWordsAround + kEscape * texts + service_members(conf).size();
    for (const PaymentOffer::Option &option : offer.options()) {
        most += option.json.size() + 1;
    }
    return base64_length(most) <= kLargeOfferBytes;
}

bool measure(ngx_conf_t *cf, const LocationConf &conf,
             const PaymentOffer &offer)
{
    if (is_small(conf, offer)) {
        return true;
    }
    std::string description = constant_of(conf.description);
    std::string mime_type = constant_of(conf.mime_type);
    std::string url = constant_of(conf.resource);
    std::string error = constant_of(conf.error);
    std::string json = payment_required_json(
        error.empty() ? kPaymentRequired : error,
        {url, description, mime_type, {}, {}, service_members(conf)},
        offer.accepts_json(), measured_extensions(conf, url, offer));
    std::size_t header = base64_length(json.size());
    if (header > kMaxOfferBytes) {
        log_conf(cf, NGX_LOG_EMERG,
                 "the offer takes " + std::to_string(header)
                     + " bytes of response header, more than "
                     + std::to_string(kMaxOfferBytes)
                     + "; shorten description and extensions, or offer fewer "
                       "ways to pay",
                 conf.origin);
        return false;
    }
    if (header > kLargeOfferBytes) {
        log_conf(cf, NGX_LOG_WARN,
                 "the offer takes " + std::to_string(header)
                     + " bytes of response header; some clients and hosted "
                       "facilitators fail above "
                     + std::to_string(kLargeOfferBytes),
                 conf.origin);
    }
    return true;
}

bool read_terms(ngx_conf_t *cf, const LocationConf &conf,
                LocationOffer &location)
{
    if (asks_signature_alone(conf)) {
        return true;
    }
    AcceptWords implied{};
    implied.timeout = NGX_CONF_UNSET_UINT;
    implied.origin = conf.origin;
    std::vector<AcceptWords> one = {implied};
    for (const AcceptWords &accept : conf.accepts ? *conf.accepts : one) {
        location.terms.emplace_back();
        if (!read_term(cf, conf, accept, location, location.terms.back())) {
            return false;
        }
    }
    return true;
}

// With what version 1 calls the network. What depends on variables is taken to
// be what the dialects need.
PaymentRequirements option_of(const LocationTerm &term)
{
    PaymentRequirements option;
    auto extra = JsonDocument::parse(term.terms.extra);
    bool other = extra && extra->root()["assetTransferMethod"].exists();
    auto taken = JsonDocument::parse(R"({"name":""})");
    if (other || taken) {
        option.extra = std::move(other ? extra.value() : taken.value());
    }
    option.scheme = term.plan ? "nvm" : term.terms.scheme_or_default();
    option.network = caip2_network(term.terms.network).value_or("");
    return named(std::move(option));
}

bool has_words(const Dialect &dialect, const LocationOffer &location,
               const PaymentOffer &offer)
{
    const auto &options = offer.options();
    const auto &terms = location.terms;
    return std::any_of(options.begin(), options.end(),
                       [&](const PaymentOffer::Option &option) {
                           return dialect.can_offer(option.requirements);
                       })
           || std::any_of(terms.begin(), terms.end(),
                          [&](const LocationTerm &term) {
                              return term.is_variable()
                                     && dialect.can_offer(option_of(term));
                          });
}

constexpr char kNoNetwork[] =
    " has no name for any network of this location; write \"x402_protocol "
    "v2\", or a network it knows, such as base";
constexpr char kNoChallenge[] =
    " can ask for none of the ways to pay of this location: it pays by scheme "
    "exact with tokens of EVM networks that EIP-3009 moves, such as USDC; "
    "offer "
    "one of these, too, or write \"x402_protocol v2\"";

// A dialect that has names for none of the payment options would offer nothing.
bool has_words_for(ngx_conf_t *cf, const LocationConf &conf,
                   const LocationOffer &location, const PaymentOffer &offer)
{
    for (const Dialect *dialect : location.dialects) {
        bool any = has_words(*dialect, location, offer);
        if (!any) {
            log_conf(
                cf, NGX_LOG_EMERG,
                "x402_protocol " + std::string(dialect->name())
                    + (dialect->has_challenges() ? kNoChallenge : kNoNetwork),
                conf.origin);
            return false;
        }
        bool hidden = dialect->offer_header().empty() && conf.unpaid_body;
        if (hidden) {
            log_conf(cf, NGX_LOG_WARN,
                     "x402_unpaid_body takes the place of the body that "
                     "clients of x402_protocol "
                         + std::string(dialect->name())
                         + " read the offer from; they cannot pay here",
                     conf.origin);
        }
    }
    return true;
}

// What the facilitators have to add.
void record_open_parts(LocationOffer &location, const PaymentOffer &offer)
{
    for (const PaymentOffer::Option &option : offer.options()) {
        location.with_supported = location.with_supported
                                  || takes_supported_extra(option.requirements);
        LocationTerm &term = location.terms[option.term];
        term.in_full = !term.terms.amount.empty() && !term.terms.asset.empty()
                       && !term.terms.extra.empty()
                       && !option.requirements.needs_supported;
    }
    for (const LocationTerm &term : location.terms) {
        if (term.facilitator && !term.in_full) {
            term.facilitator->wanted = true;
        }
    }
}

// False: an error was printed.
bool build_constant_offer(ngx_conf_t *cf, const LocationConf &conf,
                          LocationOffer &location)
{
    std::shared_ptr<const PaymentOffer> offer = constant_options(cf, location);
    if (!offer) {
        return false;
    }
    record_open_parts(location, *offer);
    if (!measure(cf, conf, *offer)
        || (!location.terms.empty()
            && !has_words_for(cf, conf, location, *offer))) {
        return false;
    }
    warn_of_mixed_networks(cf, *offer, conf.origin);
    if (offer->options().size() == location.terms.size()) {
        location.constant = std::move(offer);
    }
    return true;
}

}  // namespace

bool build_offer(ngx_conf_t *cf, LocationConf &conf)
{
    auto *location = pool_new<LocationOffer>(cf->pool);
    if (location == nullptr) {
        return false;
    }
    if (conf.dialects && !asks_signature_alone(conf)) {
        location->dialects = *conf.dialects;
    } else {
        location->dialects.push_back(&dialect_v2());
    }
    if (!read_terms(cf, conf, *location)
        || !build_constant_offer(cf, conf, *location)) {
        return false;
    }
    if (!keep_old_offers(cf, *location)) {
        return false;
    }
    conf.offer = location;
    return true;
}

bool offer_size_ok(ngx_conf_t *cf, const LocationConf &conf)
{
    const LocationOffer &location = location_offer(conf);
    return !location.constant || measure(cf, conf, *location.constant);
}

void warn_of_unused_price(ngx_conf_t *cf, const LocationConf &conf,
                          bool price_written)
{
    if (!price_written || conf.accepts == nullptr) {
        return;
    }
    for (const AcceptWords &accept : *conf.accepts) {
        if (!accept.price.data && !accept.amount.data) {
            return;
        }
    }
    log_conf(cf, NGX_LOG_WARN,
             "x402_price has no effect here: every x402_accept of this level "
             "names its own price",
             conf.origin);
}

}  // namespace x402
