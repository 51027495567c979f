// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_config_checks.hpp"

#include <algorithm>

#include "base/text_prefix.hpp"
#include "nginx/conf/ngx_http_x402_captured_values.hpp"
#include "nginx/conf/ngx_http_x402_client_values.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/offer/ngx_http_x402_nevermined.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"
#include "policy/network_address.hpp"
#include "policy/price_text.hpp"

namespace x402 {

namespace {

constexpr std::size_t kLongHeaders = 32 * 1024;
constexpr std::size_t kLongestCoinbaseDescription = 500;

void warn(ngx_conf_t *cf, const LocationConf &conf, const std::string &sentence)
{
    log_conf(cf, NGX_LOG_WARN, sentence, conf.origin);
}

// --- the request body ------------------------------------------------------

bool names_body(std::string_view text)
{
    std::vector<std::string> names = variables_in(text);
    return std::any_of(names.begin(), names.end(), [](const auto &name) {
        return starts_with(name, "x402_body_");
    });
}

// Empty: no value that decides about money or content uses the body.
std::string value_of_body(const LocationConf &conf)
{
    if (conf.bypass != nullptr) {
        auto *values =
            static_cast<ngx_http_complex_value_t *>(conf.bypass->elts);
        for (ngx_uint_t i = 0; i < conf.bypass->nelts; i++) {
            if (names_body(view(values[i].value))) {
                return "x402_bypass";
            }
        }
    }
    if (conf.redeliver_key && names_body(view(conf.redeliver_key->value))) {
        return "x402_redeliver_key";
    }
    for (const LocationTerm &term : location_offer(conf).terms) {
        for (const ngx_http_complex_value_t *value :
             {term.price, term.amount, term.pay_to, term.credits}) {
            if (value && names_body(view(value->value))) {
                return "the price";
            }
        }
    }
    return {};
}

// --- prices and networks ---------------------------------------------------

struct Digits {
    std::string whole;     // without zeros in front
    std::string fraction;  // without trailing zeros
};

// Of a constant price in dollars; nullopt: it is none.
std::optional<Digits> dollars_of(const AcceptTerms &terms)
{
    auto price = parse_price_text(terms.price);
    if (terms.price.empty() || has_variable(terms.price) || !price
        || !terms.asset.empty()
        || (!price->symbol.empty() && price->symbol != "USDC")) {
        return std::nullopt;
    }
    std::string number(price->number);
    std::size_t point = number.find('.');
    Digits digits;
    digits.whole = number.substr(0, point);
    digits.whole.erase(0, digits.whole.find_first_not_of('0'));
    if (point != std::string::npos) {
        digits.fraction = number.substr(point + 1);
        digits.fraction.erase(digits.fraction.find_last_not_of('0') + 1);
    }
    return digits;
}

bool is_coinbase(const FacilitatorConf &peer)
{
    return (peer.auth && peer.auth->key.kind == AuthKind::cdp)
           || peer.url.host == "api.cdp.coinbase.com";
}

// Less than a tenth of a cent, and not a price of zero.
bool is_tiny(const Digits &digits)
{
    return digits.whole.empty() && !digits.fraction.empty()
           && digits.fraction.compare(0, 2, "00") == 0
           && (digits.fraction.size() < 3 || digits.fraction[2] == '0');
}

void check_peer(ngx_conf_t *cf, const LocationConf &conf,
                const LocationTerm &term, const FacilitatorConf &peer)
{
    auto is_test = [&term] {
        return is_testnet(caip2_network(term.terms.network).value_or(""));
    };
    if (!peer.url.secure && !peer.url.host_is_private()
        && !is_test().value_or(false)) {
        warn(cf, conf,
             "facilitator \"" + peer.url.base()
                 + "\" is asked about real money without encryption: anyone on "
                   "the way can approve payments; write https://");
    }
    bool for_tests =
        peer.url.host == "x402.org" || peer.url.host == "www.x402.org";
    if (for_tests && !is_test().value_or(true)) {
        warn(cf, conf,
             "facilitator \"" + peer.url.base()
                 + "\" settles test money only, and \"" + term.terms.network
                 + "\" is real money: no payment is taken; write the URL of a "
                   "facilitator for real money");
    }
    if (!is_coinbase(peer)) {
        return;
    }
    auto dollars = dollars_of(term.terms);
    if (dollars && is_tiny(*dollars)) {
        warn(cf, conf,
             "Coinbase's facilitator does not settle less than $0.001, and the "
             "price is \""
                 + term.terms.price + "\"");
    }
    bool constant = conf.description && !conf.description->lengths;
    if (constant && conf.description->value.len > kLongestCoinbaseDescription) {
        warn(cf, conf,
             "Coinbase's facilitator refuses payments with a description of "
             "more than 500 characters; shorten x402_description");
    }
}

void check_price(ngx_conf_t *cf, const LocationConf &conf,
                 const LocationTerm &term)
{
    auto dollars = dollars_of(term.terms);
    if (dollars && dollars->whole.size() > 2) {
        warn(cf, conf,
             "the price \"" + term.terms.price
                 + "\" is $100 or more: the official clients refuse to pay "
                   "more than $1 unless they are told to; make sure that it "
                   "is meant");
    }
    auto timeout = static_cast<ngx_msec_t>(term.terms.timeout_seconds) * 1000;
    if (!term.plan && conf.settle_timeout > timeout) {
        warn(cf, conf,
             "x402_facilitator_timeout settle="
                 + std::to_string(conf.settle_timeout)
                 + "ms is longer than payments are valid, which is "
                 + std::to_string(term.terms.timeout_seconds)
                 + "s; raise x402_timeout, or wait less long");
    }
}

void check_header_buffers(ngx_conf_t *cf, const LocationConf &conf,
                          std::string_view network)
{
    auto *cscf = static_cast<ngx_http_core_srv_conf_t *>(
        ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module));
    // A payment there is a group of up to 16 transactions.
    if (network_family(network) != "algorand"
        || cscf->large_client_header_buffers.size >= kLongHeaders) {
        return;
    }
    warn(cf, conf,
         "payments on \"" + std::string(network) + "\" can be larger than the "
             + std::to_string(cscf->large_client_header_buffers.size)
             + " bytes of large_client_header_buffers, and are then answered "
               "400; write \"large_client_header_buffers 4 32k\"");
}

// Money: a client that writes the price, or the receiver, pays nothing.
void check_client_values(ngx_conf_t *cf, const LocationConf &conf,
                         const LocationTerm &term)
{
    auto *core = static_cast<const ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    auto *server = static_cast<const ngx_http_core_srv_conf_t *>(
        ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module));
    auto check = [&](const ngx_http_complex_value_t *value, const char *what) {
        std::string_view text = value ? view(value->value) : "";
        std::string name = client_variable(text);
        if (name.empty()) {
            name = captured_variable(cf, text, *core, *server);
        }
        if (!name.empty()) {
            warn(cf, conf,
                 "the client writes $" + name + " itself, and so chooses "
                     + what);
        }
    };
    constexpr char kPrice[] =
        "the price; look it up in a map whose default is the highest price";
    check(term.price, kPrice);
    check(term.amount, kPrice);
    check(term.credits, kPrice);
    check(term.pay_to, "the receiver of the money; look it up in a map");
}

}  // namespace

bool check_location(ngx_conf_t *cf, const LocationConf &conf, bool new_offer)
{
    std::string what = conf.read_body == 0 ? value_of_body(conf) : "";
    if (!what.empty()) {
        log_conf(cf, NGX_LOG_EMERG,
                 what
                     + " is made from $x402_body_..., and the body is not "
                       "read here; write x402_read_body with a size",
                 conf.origin);
        return false;
    }
    if (conf.batch == NGX_HTTP_X402_BATCH_SUM && conf.read_body == 0) {
        log_conf(cf, NGX_LOG_EMERG,
                 "\"x402_batch sum\" needs the request body; write "
                 "x402_read_body with a size",
                 conf.origin);
        return false;
    }
    if (!new_offer || uses_bearer_tokens(conf)) {
        return true;
    }
    for (std::size_t i = 0; i < location_offer(conf).terms.size(); i++) {
        const LocationTerm &term = location_offer(conf).terms[i];
        check_price(cf, conf, term);
        check_client_values(cf, conf, term);
        check_header_buffers(cf, conf,
                             caip2_network(term.terms.network).value_or(""));
        for (const FacilitatorConf *peer : peers_of(conf, i)) {
            check_peer(cf, conf, term, *peer);
        }
    }
    return true;
}

bool check_charge(ngx_conf_t *cf, const LocationConf &conf,
                  const LocationConf &outer)
{
    if (conf.charge == nullptr || conf.charge == outer.charge) {
        return true;
    }
    for (const LocationTerm &term : location_offer(conf).terms) {
        if (!term.plan && term.terms.scheme_or_default() == "upto") {
            return true;
        }
    }
    log_conf(cf, NGX_LOG_EMERG,
             "\"x402_charge\" needs a price that is a maximum; write "
             "x402_accept scheme=upto with that price",
             conf.charge->origin);
    return false;
}

}  // namespace x402
