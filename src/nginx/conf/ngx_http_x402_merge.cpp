// SPDX-License-Identifier: Apache-2.0
// What a location inherits.
#include <algorithm>

#include "nginx/books/ngx_http_x402_counters.hpp"
#include "nginx/conf/ngx_http_x402_config_checks.hpp"
#include "nginx/conf/ngx_http_x402_hidden_location.hpp"
#include "nginx/conf/ngx_http_x402_manifest_list.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/filter/ngx_http_x402_variables.hpp"
#include "nginx/offer/ngx_http_x402_facilitator_group.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/offer/ngx_http_x402_mpp.hpp"
#include "nginx/offer/ngx_http_x402_nevermined.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"
#include "nginx/offer/ngx_http_x402_offer_missing.hpp"
#include "nginx/offer/ngx_http_x402_prepared_offers.hpp"
#include "nginx/offer/ngx_http_x402_service.hpp"
#include "nginx/offer/ngx_http_x402_signing.hpp"
#include "nginx/reply/ngx_http_x402_paywall.hpp"
#include "nginx/zone/ngx_http_x402_zone.hpp"

namespace x402 {

namespace {

void inherit(ngx_str_t &own, const ngx_str_t &outer)
{
    if (own.data == nullptr) {
        own = outer;
    }
}

template <class T> void inherit(T *&own, T *outer)
{
    if (own == nullptr) {
        own = outer;
    }
}

bool writes_terms(const LocationConf &conf)
{
    return conf.price.data || conf.network.data || conf.pay_to.data
           || conf.accepts || conf.timeout != NGX_CONF_UNSET_UINT
           || conf.settle != NGX_CONF_UNSET_UINT || conf.dialects
           || conf.nevermined;
}

void merge_replies(LocationConf &conf, const LocationConf &outer)
{
    ngx_conf_merge_uint_value(conf.refuse_status, outer.refuse_status, 402);
    ngx_conf_merge_uint_value(conf.malformed_status, outer.malformed_status,
                              402);
    ngx_conf_merge_ptr_value(conf.bypass, outer.bypass, nullptr);
    ngx_conf_merge_str_value(conf.cors, outer.cors, "");
    ngx_conf_merge_ptr_value(conf.error, outer.error, nullptr);
    if (conf.unpaid_body == nullptr) {
        conf.unpaid_body = outer.unpaid_body;
        conf.unpaid_type = outer.unpaid_type;
    }
    inherit(conf.notices, outer.notices);
    inherit(conf.paywall, outer.paywall);
    inherit(conf.extensions, outer.extensions);
    merge_service(conf, outer);
    merge_payer_rules(conf, outer);
}

// An answer that says at its end what it has cost is held until then, unless
// the operator limits that.
void merge_hold(LocationConf &conf, const LocationConf &outer)
{
    constexpr std::size_t kBuffer = 64 * 1024;
    constexpr std::size_t kUsageBuffer = 8 * 1024 * 1024;
    constexpr ngx_msec_t kWait = 1000;
    constexpr ngx_msec_t kUsageWait = 86400 * 1000;

    inherit(conf.charge, outer.charge);
    if (conf.charge != nullptr && conf.charge->terms.empty()) {
        conf.charge = nullptr;
    }
    inherit(conf.stream, outer.stream);
    if (conf.stream != nullptr && conf.stream->trust == 0) {
        conf.stream = nullptr;
    }
    bool usage = conf.charge != nullptr;
    ngx_conf_merge_size_value(conf.settle_buffer, outer.settle_buffer,
                              NGX_CONF_UNSET_SIZE);
    ngx_conf_merge_msec_value(conf.settle_wait, outer.settle_wait,
                              NGX_CONF_UNSET_MSEC);
    conf.hold_buffer = conf.settle_buffer != NGX_CONF_UNSET_SIZE
                           ? conf.settle_buffer
                       : usage ? kUsageBuffer
                               : kBuffer;
    conf.hold_wait = conf.settle_wait != NGX_CONF_UNSET_MSEC ? conf.settle_wait
                     : usage                                 ? kUsageWait
                                                             : kWait;
}

void merge_settings(LocationConf &conf, const LocationConf &outer)
{
    inherit(conf.price, outer.price);
    inherit(conf.network, outer.network);
    inherit(conf.pay_to, outer.pay_to);
    if (conf.facilitator_url.data == nullptr) {
        conf.facilitator_url = outer.facilitator_url;
        conf.facilitator_origin = outer.facilitator_origin;
    }
    inherit(conf.trusted_certificate, outer.trusted_certificate);
    inherit(conf.facilitator_headers, outer.facilitator_headers);
    inherit(conf.facilitator_auth, outer.facilitator_auth);
    if (!conf.facilitator_proxy) {
        conf.facilitator_proxy = outer.facilitator_proxy;
    }
    inherit(conf.accepts, outer.accepts);
    inherit(conf.dialects, outer.dialects);
    inherit(conf.nevermined, outer.nevermined);
    inherit(conf.mpp_written, outer.mpp_written);
    inherit(conf.token_headers, outer.token_headers);
    inherit(conf.methods, outer.methods);
    if (conf.origin.line == 0) {
        conf.origin = outer.origin;
    }
    // Not written: the default of the dialect.
    ngx_conf_merge_uint_value(conf.timeout, outer.timeout, NGX_CONF_UNSET_UINT);
    ngx_conf_merge_uint_value(conf.validity_min, outer.validity_min,
                              NGX_CONF_UNSET_UINT);
    ngx_conf_merge_uint_value(conf.validity_max, outer.validity_max,
                              NGX_CONF_UNSET_UINT);
    ngx_conf_merge_msec_value(conf.connect_timeout, outer.connect_timeout,
                              kDefaultConnectTimeout);
    ngx_conf_merge_msec_value(conf.verify_timeout, outer.verify_timeout, 5000);
    ngx_conf_merge_msec_value(conf.settle_timeout, outer.settle_timeout,
                              kDefaultSettleTimeout);
    ngx_conf_merge_value(conf.ssl_verify, outer.ssl_verify, 1);
    ngx_conf_merge_uint_value(conf.max_calls, outer.max_calls,
                              kDefaultMaxCalls);
    ngx_conf_merge_ptr_value(conf.resource, outer.resource, nullptr);
    ngx_conf_merge_ptr_value(conf.description, outer.description, nullptr);
    ngx_conf_merge_ptr_value(conf.mime_type, outer.mime_type, nullptr);
    ngx_conf_merge_ptr_value(conf.redeliver_key, outer.redeliver_key, nullptr);
    ngx_conf_merge_uint_value(conf.settle, outer.settle, NGX_CONF_UNSET_UINT);
    ngx_conf_merge_uint_value(conf.verify, outer.verify,
                              NGX_HTTP_X402_VERIFY_REMOTE);
    inherit(conf.verify_used, outer.verify_used);
    merge_hold(conf, outer);
    ngx_conf_merge_uint_value(conf.unproven, outer.unproven,
                              NGX_HTTP_X402_UNPROVEN_DELIVER);
    ngx_conf_merge_uint_value(conf.settle_failure, outer.settle_failure,
                              NGX_CONF_UNSET_UINT);
    ngx_conf_merge_size_value(conf.read_body, outer.read_body, 0);
    ngx_conf_merge_uint_value(conf.batch, outer.batch,
                              NGX_HTTP_X402_BATCH_REFUSE);
    ngx_conf_merge_value(conf.forward_payment, outer.forward_payment, 0);
    merge_replies(conf, outer);
}

// The nearest level decides: `x402 on|off|shadow` of this level, else a price
// or a signature that this level asks for, else the outer level.
bool decide_priced(const LocationConf &conf, const LocationConf &outer,
                   bool price_written)
{
    if (conf.enabled_directive != NGX_CONF_UNSET) {
        return conf.enabled_directive != 0;
    }
    if (asks_signature_alone(conf)) {
        return true;
    }
    if (conf.status != StatusFormat::none || conf.manifest != nullptr
        || conf.did_document != nullptr) {
        return false;
    }
    return price_written || outer.has_price();
}

// Money: a price below `x402 shadow` is tried as well; `x402 on` alone ends
// that.
void set_enabled(LocationConf &conf, bool priced, bool shadow_outside)
{
    conf.shadow_inherited = conf.enabled_directive == kShadow
                            || (shadow_outside && conf.enabled_directive != 1);
    conf.enabled = priced && !conf.shadow_inherited;
    conf.shadow = priced && conf.shadow_inherited;
}

// Of a location; `asks`: it writes itself what opens it.
void set_place(LocationConf &conf, const LocationConf &outer, bool asks)
{
    conf.price_in_location = asks || outer.price_in_location;
    conf.off_in_location =
        !conf.has_price()
        && (conf.enabled_directive == 0 || outer.off_in_location);
}

// nginx: an "if" has the content handler of the location around it.
void inherit_page(ngx_conf_t *cf, LocationConf &conf, const LocationConf &outer)
{
    auto *core = static_cast<const ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    if (core->noname) {
        conf.status = outer.status;
        conf.manifest = outer.manifest;
        conf.did_document = outer.did_document;
    }
}

// Records what checks of the whole configuration need to know of a paid
// location.
void record_paid(ngx_conf_t *cf, MainConf &mcf, const LocationConf &conf)
{
    mcf.paid = true;
    if (mcf.mpp_password_at.line == 0 && has_mpp(conf)
        && !asks_signature_alone(conf) && demands_password(cf)) {
        mcf.mpp_password_at = conf.origin;
    }
    if (conf.shadow && mcf.shadow_at.line == 0) {
        mcf.shadow_at = conf.origin;
    }
    if (conf.mpp && conf.mpp->made && mcf.made_key_at.line == 0) {
        mcf.made_key_at = conf.origin;
    }
    mcf.reads_body = mcf.reads_body || conf.read_body != 0;
    mcf.charges = mcf.charges || conf.charge != nullptr;
    mark_settings_used(conf);
    if (conf.max_calls != kDefaultMaxCalls) {
        mcf.max_calls = std::max(mcf.max_calls, conf.max_calls);
    }
    if (mcf.paid_at.line == 0) {
        mcf.paid_at = conf.origin;
    }
    mcf.cors = mcf.cors || conf.cors.len != 0;
}

// False: an error was printed.
bool check_tokens(ngx_conf_t *cf, const LocationConf &conf)
{
    std::string why = validate_tokens(conf);
    if (why.empty()) {
        why = validate_mpp(conf);
    }
    if (why.empty()) {
        return true;
    }
    // Accepts remember their own lines.
    bool at_accept = conf.origin.line == 0 && conf.accepts;
    log_conf(cf, NGX_LOG_EMERG, why,
             at_accept ? conf.accepts->front().origin : conf.origin);
    return false;
}

bool prepare_replies(ngx_conf_t *cf, LocationConf &conf,
                     const LocationConf &outer)
{
    return prepare_offers(cf, conf) && prepare_paywall(cf, conf, outer);
}

// Of a location with its offer. False: an error was printed.
bool finish_sale(ngx_conf_t *cf, MainConf &mcf, LocationConf &outer,
                 LocationConf &conf)
{
    bool is_server = &outer == mcf.http_loc_conf;
    return (asks_signature_alone(conf) || record_only_guard(cf, mcf, conf))
           && set_peers(cf, conf)
           && check_location(cf, conf, conf.offer != outer.offer)
           && check_returning(cf, conf) && check_signed_names(cf, conf)
           && (is_server || check_charge(cf, conf, outer))
           && prepare_replies(cf, conf, outer);
}

// A signature alone is asked for here and a price around it, or the other way
// round.
bool is_of_another_kind(const LocationConf &conf, const LocationConf &outer)
{
    return asks_signature_alone(conf) != asks_signature_alone(outer);
}

// nginx does not merge the http level itself.
void enable_http_level(LocationConf &http)
{
    bool asks = http.price.data || http.accepts || asks_signature_alone(http);
    bool written = http.enabled_directive != NGX_CONF_UNSET;
    set_enabled(http, written ? http.enabled_directive != 0 : asks, false);
}

char *merge(ngx_conf_t *cf, LocationConf &outer, LocationConf &conf)
{
    MainConf *mcf = main_conf(cf);
    bool is_server = &outer == mcf->http_loc_conf;
    if (is_server) {
        enable_http_level(outer);
    }
    inherit_page(cf, conf, outer);
    bool own_price = conf.price.data != nullptr;
    bool price_written = own_price || conf.accepts;
    bool signature_written = asks_signature_alone(conf);
    bool terms_written = writes_terms(conf);
    bool resource_written = conf.extensions || conf.service || conf.signing;
    set_enabled(conf, decide_priced(conf, outer, price_written),
                outer.shadow_inherited);
    if (!is_server) {
        set_place(conf, outer, price_written || signature_written);
    }
    merge_settings(conf, outer);
    merge_returning(cf, conf, outer);
    if (price_written && !signature_written && asks_signature_alone(conf)) {
        conf.sign_in = nullptr;  // the price is nearer
    }
    terms_written = terms_written || is_of_another_kind(conf, outer);
    conf.mpp = find_mpp(cf, conf, outer);
    merge_books(cf, conf, outer);
    if (!check_signature_alone(cf, conf, price_written)
        || (!is_server && !record_location(cf, conf, outer))
        || !merge_signing(cf, conf, outer)) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    RewriteUse rewrites = read_rewrite_phase(cf);
    mcf->error_pages->note(cf, conf, outer, rewrites);
    check_rewrite(cf, conf, rewrites);
    if (!conf.has_price()) {
        warn_of_page_price(cf, conf, price_written);
        return NGX_CONF_OK;
    }
    record_paid(cf, *mcf, conf);
    bool complete = is_complete(conf);
    if ((complete || !is_server) && !check_tokens(cf, conf)) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    if (!complete) {
        // The locations of a server may complete its settings. A request that
        // is served by the server level itself is refused.
        return is_server ? NGX_CONF_OK : report_incomplete(cf, conf);
    }
    warn_of_unused_price(cf, conf, own_price);
    bool made = true;
    if (terms_written || outer.offer == nullptr) {
        made = build_offer(cf, conf);
    } else {
        conf.offer = outer.offer;
        made = !resource_written || offer_size_ok(cf, conf);
    }
    return made && finish_sale(cf, *mcf, outer, conf)
               ? NGX_CONF_OK
               : static_cast<char *>(NGX_CONF_ERROR);
}

}  // namespace

}  // namespace x402

using namespace x402;

void *ngx_http_x402_create_main_conf(ngx_conf_t *cf)
{
    return guarded(cf->log, static_cast<void *>(nullptr), [&] {
        return static_cast<void *>(pool_new<MainConf>(cf->pool));
    });
}

void *ngx_http_x402_create_loc_conf(ngx_conf_t *cf)
{
    return guarded(cf->log, static_cast<void *>(nullptr), [&] {
        // nginx: it finds what it sets from the address of the base.
        ngx_http_x402_loc_conf_t *made = pool_new<LocationConf>(cf->pool);
        return static_cast<void *>(made);
    });
}

char *ngx_http_x402_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    return guarded(cf->log, static_cast<char *>(NGX_CONF_ERROR), [&] {
        return merge(cf, *location_conf(parent), *location_conf(child));
    });
}

ngx_int_t ngx_http_x402_preconfiguration(ngx_conf_t *cf)
{
    return guarded(cf->log, static_cast<ngx_int_t>(NGX_ERROR), [&] {
        MainConf *mcf = main_conf(cf);
        // The context is that of the http block here; merge recognizes servers
        // by
        // it.
        mcf->http_loc_conf = static_cast<LocationConf *>(
            ngx_http_conf_get_module_loc_conf(cf, ngx_http_x402_module));
        mcf->error_pages = pool_new<ErrorPageCheck>(cf->pool);
        mcf->books = pool_new<Books>(cf->pool);
        bool made = mcf->error_pages && mcf->books && add_variables(cf);
        return static_cast<ngx_int_t>(made ? NGX_OK : NGX_ERROR);
    });
}
