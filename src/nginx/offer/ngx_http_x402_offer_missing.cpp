// SPDX-License-Identifier: Apache-2.0
#include "nginx/offer/ngx_http_x402_offer_missing.hpp"

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/offer/ngx_http_x402_nevermined.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"

namespace x402 {

namespace {

// What the payment option lacks, also at the level of the location; empty:
// nothing.
std::string_view missing_word(const LocationConf &conf,
                              const AcceptWords &accept)
{
    if (!accept.facilitator.data && !conf.facilitator_url.data) {
        return "a facilitator to ask; write x402_facilitator";
    }
    if (!accept.network.data && !conf.network.data) {
        return "a network; write x402_network";
    }
    if (!accept.pay_to.data && !conf.pay_to.data) {
        return "an address to be paid at; write x402_pay_to";
    }
    if (!accept.price.data && !accept.amount.data && !conf.price.data) {
        return "a price; write x402_price";
    }
    return {};
}

// The sentence about what is missing from an offer; empty: nothing is.
std::string missing_part(const LocationConf &conf)
{
    if (asks_signature_alone(conf)) {
        return {};
    }
    if (conf.enclosing && asks_signature_alone(*conf.enclosing)
        && conf.accepts == nullptr && !conf.price.data) {
        return "\"x402_sign_in\" no longer asks for a signature here, and a "
               "price is missing; write x402_price, or \"x402 off\" to serve "
               "this location free";
    }
    if (conf.accepts == nullptr && !conf.price.data) {
        return std::string(conf.shadow ? "\"x402 shadow\"" : "\"x402 on\"")
               + " has no price to ask for; write x402_price or x402_accept, "
                 "or \"x402 off\" to serve this location free";
    }
    if (conf.accepts && uses_bearer_tokens(conf)) {
        return conf.nevermined ? ""
                               : "this paid location lacks x402_nevermined";
    }
    static const std::vector<AcceptWords> implied(1);
    for (const AcceptWords &accept : conf.accepts ? *conf.accepts : implied) {
        std::string_view word = missing_word(conf, accept);
        if (!word.empty()) {
            return "this paid location lacks " + std::string(word);
        }
    }
    return {};
}

}  // namespace

bool is_complete(const LocationConf &conf)
{
    return missing_part(conf).empty();
}

char *report_incomplete(ngx_conf_t *cf, const LocationConf &conf)
{
    log_conf(cf, NGX_LOG_EMERG, missing_part(conf), conf.origin);
    return static_cast<char *>(NGX_CONF_ERROR);
}

}  // namespace x402
