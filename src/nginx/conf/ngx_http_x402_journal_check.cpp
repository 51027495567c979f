// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_config_checks.hpp"

#include <algorithm>

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_nevermined.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"
#include "nginx/payment/ngx_http_x402_payer_check.hpp"
#include "nginx/zone/ngx_http_x402_zone.hpp"
#include "policy/evm_signer.hpp"
#include "policy/network_address.hpp"
#include "policy/network_table.hpp"
#include "policy/scheme_payload.hpp"
#include "protocol/dialect.hpp"

namespace x402 {

namespace {

bool sells_on_fast(const LocationOffer &offer)
{
    for (const LocationTerm &term : offer.terms) {
        std::string network = caip2_network(term.terms.network).value_or("");
        if (network.compare(0, 5, "fast:") == 0) {
            return true;
        }
    }
    return false;
}

// Whether the zone can be the only protection: it remembers each payment as
// long as it can be used, whatever it looks like. False: an error was printed.
bool can_guard(ngx_conf_t *cf, const LocationOffer &offer)
{
    for (const LocationTerm &term : offer.terms) {
        if (!term.plan && term.terms.scheme_or_default() == "upto") {
            log_conf(cf, NGX_LOG_EMERG,
                     "scheme \"upto\" is charged for what the content costs, "
                     "and \"x402_settle off\" charges nothing here; write "
                     "\"x402_settle after\"",
                     term.origin);
            return false;
        }
        if (!term.plan
            && !claims_outlive_payments(
                canonical_network(term.terms.network))) {
            log_conf(cf, NGX_LOG_EMERG,
                     "\"x402_settle off\" cannot sell on \""
                         + term.terms.network
                         + "\": there the module does not know until when a "
                           "payment can be used, or all the forms that it can "
                           "have, and nothing else would prevent a second use; "
                           "write \"x402_settle after\" or \"x402_settle "
                           "before\"",
                     term.origin);
            return false;
        }
    }
    return true;
}

// False: an error was printed.
bool check_verify(ngx_conf_t *cf, const LocationConf &conf)
{
    if (conf.verify == NGX_HTTP_X402_VERIFY_REMOTE
        || uses_bearer_tokens(conf)) {
        return true;
    }
    if (conf.settle == NGX_HTTP_X402_SETTLE_OFF) {
        log_conf(
            cf, NGX_LOG_EMERG,
            "with \"x402_settle off\" the facilitator's verify is all that "
            "stands behind a payment; remove x402_verify, or write "
            "\"x402_settle after\"",
            conf.origin);
        return false;
    }
    if (conf.verify != NGX_HTTP_X402_VERIFY_OFF && !has_evm_signer()) {
        log_conf(cf, NGX_LOG_EMERG,
                 std::string("x402_verify local and trusted: ")
                     + kEvmSignerAbsent,
                 conf.origin);
        return false;
    }
    return true;
}

bool is_evm(const LocationTerm &term)
{
    return network_family(canonical_network(term.terms.network)) == "eip155";
}

// Content that is made without the facilitator's word, at least for one way to
// pay: payments there are settled after it.
bool uses_verify(const LocationConf &conf)
{
    auto is_after = [](const Dialect *dialect) {
        return dialect->settle_time({}, std::nullopt) == SettleTime::after;
    };
    const LocationOffer &offer = location_offer(conf);
    bool after = conf.settle == NGX_HTTP_X402_SETTLE_AFTER
                 || (conf.settle == NGX_CONF_UNSET_UINT
                     && std::any_of(offer.dialects.begin(),
                                    offer.dialects.end(), is_after));
    return after && !has_payer_rules(conf) && !uses_bearer_tokens(conf)
           && (conf.verify == NGX_HTTP_X402_VERIFY_OFF
               || std::any_of(offer.terms.begin(), offer.terms.end(), is_evm));
}

}  // namespace

bool record_only_guard(ngx_conf_t *cf, MainConf &mcf, const LocationConf &conf)
{
    if (conf.offer == nullptr) {
        return true;
    }
    bool off =
        conf.settle == NGX_HTTP_X402_SETTLE_OFF && !uses_bearer_tokens(conf);
    if (conf.verify_used && uses_verify(conf)) {
        *conf.verify_used = true;
    }
    if (!check_verify(cf, conf) || (off && !can_guard(cf, *conf.offer))) {
        return false;
    }
    if (mcf.only_guard_of != nullptr) {
        return true;
    }
    if (off) {
        mcf.only_guard_of = "\"x402_settle off\"";
    } else if (sells_on_fast(*conf.offer)) {
        mcf.only_guard_of = "a Fast network";
    }
    mcf.only_guard_at = conf.origin;
    return true;
}

void check_journal_kept(ngx_conf_t *cf, const MainConf &mcf)
{
    if (mcf.only_guard_of == nullptr || syncs_journal(mcf.zone)) {
        return;
    }
    if (has_journal(mcf.zone)) {
        log_conf(cf, NGX_LOG_WARN,
                 std::string("with ") + mcf.only_guard_of
                     + " only the journal keeps a payment from being used "
                       "twice after a loss of power; write x402_zone with "
                       "sync=on",
                 mcf.only_guard_at);
        return;
    }
    log_conf(cf, NGX_LOG_WARN,
             std::string("with ") + mcf.only_guard_of
                 + " only the zone keeps a payment from being used twice, and "
                   "a restart empties it; write x402_zone with journal=path",
             mcf.only_guard_at);
}

}  // namespace x402
