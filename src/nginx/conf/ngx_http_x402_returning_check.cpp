// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_config_checks.hpp"

#include <algorithm>

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/offer/ngx_http_x402_nevermined.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"
#include "policy/evm_signer.hpp"
#include "protocol/sign_in_message.hpp"

namespace x402 {

namespace {

constexpr char kNeedsKey[] =
    " needs a key: write x402_seal_key with a file of at least 32 random "
    "bytes, such as one made by \"openssl rand -hex 32\"";

// Empty: what is sold here can be bought for more than one request.
std::string why_not(const LocationConf &conf, const SealKeys *keys,
                    const std::string &directive)
{
    if (keys == nullptr) {
        return directive + kNeedsKey;
    }
    if (conf.settle == NGX_HTTP_X402_SETTLE_OFF) {
        return directive
               + " needs a settlement, and this location has none (x402_settle "
                 "off)";
    }
    if (uses_bearer_tokens(conf)) {
        return directive
               + " cannot be combined with tokens of a plan, which are "
                 "reusable themselves";
    }
    for (const LocationTerm &term : location_offer(conf).terms) {
        if (term.terms.scheme_or_default() == "upto") {
            return directive
                   + " cannot be combined with scheme \"upto\": a request that "
                     "cost "
                     "nothing would open the location";
        }
    }
    return {};
}

// Empty: some payers can sign in, and this build can check all of them.
std::string why_no_sign_in(const LocationConf &conf)
{
    std::string why = why_not(conf, conf.seal_keys, "x402_sign_in");
    bool any = false;
    for (const LocationTerm &term : location_offer(conf).terms) {
        std::string network = caip2_network(term.terms.network).value_or("");
        const char *type = sign_in_type(network);
        any = any || type;
        if (why.empty() && type && std::string_view(type) == "eip191"
            && !has_evm_signer()) {
            why = std::string("x402_sign_in: ") + kEvmSignerAbsent;
        }
    }
    return why.empty() && !any ? "x402_sign_in is for accounts of EVM networks "
                                 "and Solana, and none is offered here"
                               : why;
}

// Empty: accounts can sign in, and this build can check all of them.
std::string why_no_signature(const LocationConf &conf)
{
    if (conf.seal_keys == nullptr) {
        return std::string("x402_sign_in") + kNeedsKey;
    }
    std::vector<std::string> chains = sign_in_chains(conf);
    if (chains.empty()) {
        return "\"x402_sign_in only\" does not know of which network an "
               "account may be; write network=base, several of these, or "
               "x402_network";
    }
    for (const std::string &chain : chains) {
        const char *type = sign_in_type(chain);
        if (type == nullptr) {
            return "accounts of \"" + chain
                   + "\" cannot sign in; write network= with an EVM network "
                     "or Solana in x402_sign_in";
        }
        if (std::string_view(type) == "eip191" && !has_evm_signer()) {
            return std::string("x402_sign_in: ") + kEvmSignerAbsent;
        }
    }
    return {};
}

bool report(ngx_conf_t *cf, const std::string &why, const ConfOrigin &origin)
{
    if (!why.empty()) {
        log_conf(cf, NGX_LOG_EMERG, why, origin);
    }
    return why.empty();
}

template <class Rules> void inherit(const Rules *&own, const Rules *outer)
{
    if (own == nullptr) {
        own = outer;
    }
    if (own && own->off) {
        own = nullptr;
    }
}

// A price that was forgotten gives everything away.
void warn_of_missing_price(ngx_conf_t *cf, const LocationConf &conf,
                           const LocationConf &outer)
{
    auto warn = [&](const char *name, const ConfOrigin &origin) {
        log_conf(cf, NGX_LOG_WARN,
                 std::string("\"") + name
                     + "\" is written in a location without a price, which "
                       "serves all of its content free; write x402_price",
                 origin);
    };
    // The locations of a server have prices of their own.
    bool is_server = &outer == main_conf(cf)->http_loc_conf;
    if (is_server || conf.has_price() || conf.enabled_directive == 0
        || conf.off_in_location) {
        return;
    }
    if (conf.charge && conf.charge != outer.charge
        && !conf.charge->terms.empty()) {
        warn("x402_charge", conf.charge->origin);
    } else if (conf.pass && conf.pass != outer.pass) {
        warn("x402_pass", conf.pass->origin);
    } else if (conf.sign_in && conf.sign_in != outer.sign_in) {
        warn("x402_sign_in", conf.sign_in->origin);
    }
}

}  // namespace

void merge_returning(ngx_conf_t *cf, LocationConf &conf,
                     const LocationConf &outer)
{
    conf.core = static_cast<const ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    conf.enclosing = &outer;
    inherit(conf.pass, outer.pass);
    inherit(conf.sign_in, outer.sign_in);
    if (conf.seal_keys == nullptr) {
        conf.seal_keys = outer.seal_keys;
    }
    warn_of_missing_price(cf, conf, outer);
}

bool check_signature_alone(ngx_conf_t *cf, const LocationConf &conf,
                           bool price_written)
{
    if (!asks_signature_alone(conf)) {
        return true;
    }
    std::string why;
    if (price_written) {
        why = "\"x402_sign_in only\" asks for no money, and this level has a "
              "price; take one of them away, or write time= instead of "
              "\"only\"";
    } else if (conf.shadow) {
        why = "\"x402 shadow\" would serve without a signature what "
              "\"x402_sign_in only\" protects; write \"x402 on\" there";
    } else if (conf.pass && conf.pass != conf.enclosing->pass) {
        why = "x402_pass has no effect beside \"x402_sign_in only\"; "
              "write it where there is a price";
    }
    return report(cf, why, conf.sign_in->origin);
}

bool check_returning(ngx_conf_t *cf, LocationConf &conf)
{
    if (conf.pass || conf.sign_in) {
        main_conf(cf)->returning_clients = true;
    }
    bool alone = asks_signature_alone(conf);
    if (conf.pass && !alone
        && !report(cf, why_not(conf, pass_keys(conf), "x402_pass"),
                   conf.pass->origin)) {
        return false;
    }
    if (conf.sign_in == nullptr) {
        return true;
    }
    if (!record_own_names(cf, conf)) {
        return false;
    }
    std::string why = alone ? why_no_signature(conf) : why_no_sign_in(conf);
    if (why.empty() && conf.server_names->empty()
        && conf.sign_in->site.empty()) {
        why = "x402_sign_in has to know the name by which wallets know this "
              "server, and it has none: write server_name, or "
              "origin=https://example.com in x402_sign_in";
    }
    return report(cf, why, conf.sign_in->origin);
}

}  // namespace x402
