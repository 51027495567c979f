// SPDX-License-Identifier: Apache-2.0
// Before any access check: payment headers are remembered and taken out of the
// request, so that auth_request, mirror and upstreams never see them.
#include "nginx/request/ngx_http_x402_payment_headers.hpp"

#include <algorithm>

#include "nginx/core/ngx_http_x402_header_list.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/offer/ngx_http_x402_mpp.hpp"
#include "nginx/offer/ngx_http_x402_nevermined.hpp"
#include "nginx/request/ngx_http_x402_returning_client.hpp"
#include "protocol/mpp_challenge.hpp"
#include "protocol/payment_header_names.hpp"

namespace x402 {

namespace {

// The headers of all dialects, and those that carry tokens here; `scratch` owns
// the list if it is not a constant.
HeaderNames payments(const LocationConf &conf,
                     std::vector<std::string_view> &scratch)
{
    if (!uses_bearer_tokens(conf)) {
        return kPaymentHeaders;
    }
    scratch = token_headers(conf);
    for (std::string_view name : kPaymentHeaders) {
        if (std::find(scratch.begin(), scratch.end(), name) == scratch.end()) {
            scratch.push_back(name);
        }
    }
    return {scratch.data(), scratch.data() + scratch.size()};
}

constexpr std::string_view kAuthorization[] = {kAuthorizationHeader};

// Rules about payers are asked in the access phase alone.
bool has_rules_of_its_own(const RequestCtx &ctx, const LocationConf &conf)
{
    return conf.payer_rules && conf.payer_rules->ask_payer()
           && conf.payer_rules != ctx.quote.conf->payer_rules
           && std::find(ctx.rules_asked.begin(), ctx.rules_asked.end(),
                        conf.payer_rules)
                  == ctx.rules_asked.end();
}

// Core skips the access phase for subrequests. A location with a price of its
// own refuses them unless the main request has paid, or passed the access phase
// of this very offer for free. A payment does not sign (x402_sign_in only).
ngx_int_t admit_subrequest(ngx_http_request_t *r, const LocationConf *conf)
{
    if (!conf->price_in_location) {
        return NGX_DECLINED;
    }
    const RequestCtx *ctx = find_ctx(r);
    bool paid = ctx && ctx->accepted && !asks_signature_alone(*conf)
                && !has_rules_of_its_own(*ctx, *conf);
    bool admitted = paid || (ctx && ctx->passed && ctx->passed == conf->offer);
    if (admitted) {
        return NGX_DECLINED;
    }
    log_line(NGX_LOG_INFO, r->connection->log,
             "subrequest into a paid location refused: the main request has "
             "not paid");
    return NGX_HTTP_FORBIDDEN;
}

// Takes credentials of MPP out of the request; lines of another scheme stay.
// False: no memory.
bool take_authorization(ngx_http_request_t *r, const RequestCtx &ctx)
{
    for (const Presented &header : ctx.presented) {
        if (header.name != kAuthorizationHeader) {
            continue;
        }
        // nginx: auth_basic reads it here.
        ngx_table_elt_t *&basic = r->headers_in.authorization;
        if (basic && is_payment_credential(view(basic->value))) {
            basic = nullptr;
        }
        return unlink_headers(r->pool, r->headers_in.headers, kAuthorization,
                              [](const ngx_table_elt_t &line) {
                                  return is_payment_credential(
                                      view(line.value));
                              });
    }
    return true;
}

ngx_int_t take_headers(ngx_http_request_t *r, const LocationConf *conf)
{
    RequestCtx *ctx = find_or_make_ctx(r);
    if (ctx == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (ctx->label_number == 0) {
        ctx->label_number = conf->label_number;
    }
    ngx_list_t &list = r->headers_in.headers;
    std::vector<std::string_view> scratch;
    HeaderNames known = payments(*conf, scratch);
    bool payment = has_header(list, known)
                   || (conf->mpp && has_header(list, kAuthorization));
    if (!payment && !has_header(list, kForgeableHeaders)) {
        return NGX_DECLINED;
    }
    if (payment) {
        ctx->presented = presented_payments(list, *conf);
    }
    if (conf->mpp && !conf->forward_payment && !take_authorization(r, *ctx)) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (conf->forward_payment
        || (unlink_headers(r->pool, list, known)
            && unlink_headers(r->pool, list, kForgeableHeaders))) {
        return NGX_DECLINED;
    }
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}

// Money: with X-Accel-Redirect the first upstream says what the content costs,
// and a second one may deliver it.
void record_redirecting_upstream(ngx_http_request_t *r)
{
    RequestCtx *ctx = find_ctx(r);
    if (ctx && ctx->accepted && r->upstream->headers_in.x_accel_redirect) {
        record_overrides(*ctx);
    }
}

void record_presented(PresentedHeaders &found, std::string_view name,
                      const ngx_str_t &value)
{
    for (Presented &known : found) {
        if (known.name == name) {
            known.value = value;
            known.count++;
            return;
        }
    }
    found.push_back({name, value, 1});
}

}  // namespace

PresentedHeaders presented_payments(ngx_list_t &list, const LocationConf &conf)
{
    PresentedHeaders found;
    std::vector<std::string_view> scratch;
    HeaderNames known = payments(conf, scratch);
    bool mpp = conf.mpp != nullptr;
    each_header(list, [&](const ngx_table_elt_t &header) {
        if (mpp && header_is(header.key, kAuthorizationHeader)
            && is_payment_credential(view(header.value))) {
            record_presented(found, kAuthorizationHeader, header.value);
        }
        for (std::string_view name : known) {
            if (header_is(header.key, name)) {
                record_presented(found, name, header.value);
            }
        }
    });
    return found;
}

ChosenPayment chosen_payment(const PresentedHeaders &presented,
                             const Dialects &dialects)
{
    ChosenPayment chosen;
    for (const Dialect *dialect : dialects) {
        for (const Presented &header : presented) {
            if (header.name != dialect->payment_header()) {
                continue;
            }
            if (chosen.header == nullptr) {
                chosen = {&header, dialect};
            } else if (dialect->has_challenges()) {
                // Money: each could be meant, and each could be charged.
                chosen.two_protocols = true;
            }
        }
    }
    return chosen;
}

ngx_int_t on_preaccess(ngx_http_request_t *r)
{
    const LocationConf *conf = loc_conf(r);
    bool redirected = r->internal && r == r->main && r->upstream;
    bool returning = r == r->main && main_conf(r)->returning_clients;
    if (!conf->enabled && !redirected && !returning) {
        return NGX_DECLINED;
    }
    return guarded(r->connection->log,
                   static_cast<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR),
                   [&]() -> ngx_int_t {
                       if (redirected) {
                           record_redirecting_upstream(r);
                       }
                       if (returning
                           && !take_client_secrets(r, conf->forward_payment)) {
                           return NGX_HTTP_INTERNAL_SERVER_ERROR;
                       }
                       if (!conf->enabled) {
                           return NGX_DECLINED;
                       }
                       return r == r->main ? take_headers(r, conf)
                                           : admit_subrequest(r, conf);
                   });
}

ngx_int_t on_precontent(ngx_http_request_t *r)
{
    const LocationConf *conf = loc_conf(r);
    if (conf->enabled && r == r->main) {
        if (RequestCtx *ctx = find_ctx(r)) {
            ctx->passed = conf->offer;
            ctx->met_price = true;
            ctx->trace.let_in = true;
        }
    }
    return NGX_DECLINED;
}

// nginx: an upstream's headers stay in its own list, even if the response
// headers are changed; `add_header` and other clients' headers are not in it.
void record_overrides(RequestCtx &ctx)
{
    ngx_http_upstream_t *u = ctx.r->upstream;
    if (u == nullptr || u == ctx.overrides_of || u->headers_in.status_n == 0) {
        return;
    }
    ctx.overrides_of = u;
    each_header(u->headers_in.headers, [&](const ngx_table_elt_t &header) {
        if (header_is(header.key, kOverridesHeader)) {
            ctx.overrides.push_back(copy(header.value));
        }
    });
}

}  // namespace x402
