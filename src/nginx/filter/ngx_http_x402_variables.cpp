// SPDX-License-Identifier: Apache-2.0
#include "nginx/filter/ngx_http_x402_variables.hpp"

#include "base/decimal_amount.hpp"
#include "base/hex_codec.hpp"
#include "base/json_text.hpp"
#include "base/module_version.hpp"
#include "base/text_excerpt.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/payment/ngx_http_x402_access.hpp"
#include "nginx/request/ngx_http_x402_ctx.hpp"
#include "nginx/request/ngx_http_x402_offer_now.hpp"
#include "nginx/request/ngx_http_x402_payment_headers.hpp"
#include "nginx/request/ngx_http_x402_request_books.hpp"
#include "nginx/request/ngx_http_x402_returning_client.hpp"
#include "policy/asset_table.hpp"
#include "policy/evm_address.hpp"

namespace x402 {

namespace {

std::string state_of(const RequestCtx &ctx)
{
    std::string word = outcome_word(outcome_facts(ctx));
    return word.empty() && ctx.shadow ? "shadow" : word;
}

// In one spelling, so that limits and lists by payer cannot be evaded. Text of
// a facilitator that is not an address is not passed on.
std::string payer_of(const Payment &payment)
{
    if (!payment.payer_known) {
        return {};
    }
    auto named = parse_evm_address(payment.payer);
    if (!named) {
        named = parse_evm_address(payment.scheme.payer);
    }
    return named ? "0x" + hex_encode(named->data(), named->size())
                 : header_excerpt(payment.payer);
}

std::string price_of(const Payment &payment)
{
    if (payment.amount.empty()) {
        return {};
    }
    if (payment.option && payment.option->requirements.decimals) {
        return to_decimal(payment.amount,
                          *payment.option->requirements.decimals);
    }
    const Asset *asset = find_asset_by_address(payment.network, payment.asset);
    return asset ? to_decimal(payment.amount, asset->decimals) : std::string();
}

// As $upstream_response_time.
std::string seconds(const std::optional<ngx_msec_t> &time)
{
    if (!time) {
        return {};
    }
    std::string thousandths = std::to_string(*time % 1000);
    return std::to_string(*time / 1000) + "."
           + std::string(3 - thousandths.size(), '0') + thousandths;
}

std::string of_payment(const Payment &payment, uintptr_t which)
{
    switch (which) {
    case NGX_HTTP_X402_PAYER:
        return payer_of(payment);
    case NGX_HTTP_X402_AMOUNT:
        return payment.amount;
    case NGX_HTTP_X402_PRICE:
        return price_of(payment);
    case NGX_HTTP_X402_ASSET:
        return payment.asset;
    case NGX_HTTP_X402_NETWORK:
        return payment.network;
    case NGX_HTTP_X402_SCHEME:
        if (payment.network.empty()) {
            return {};
        }
        return header_excerpt(payment.option
                                  ? payment.option->requirements.scheme
                                  : std::string(payment.payload.scheme()));
    case NGX_HTTP_X402_PAY_TO:
        return payment.pay_to;
    case NGX_HTTP_X402_PROTOCOL_VERSION:
        return std::to_string(payment.payload.version);
    case NGX_HTTP_X402_PAYMENT_ID:
        // A token is used for many requests and identifies none of them.
        return payment.facts.key == Digest{}
                   ? ""
                   : hex_encode(payment.facts.key.data(),
                                payment.facts.key.size());
    default:
        return {};
    }
}

std::string of_returning(const ReturningClient &client, uintptr_t which)
{
    if (which == NGX_HTTP_X402_PASS_EXPIRES) {
        return client.expires ? std::to_string(client.expires) : std::string();
    }
    return client.left ? std::to_string(*client.left) : std::string();
}

std::string of_request(const RequestCtx &ctx, uintptr_t which)
{
    switch (which) {
    case NGX_HTTP_X402_STATE:
        return state_of(ctx);
    case NGX_HTTP_X402_TRANSACTION:
        return header_excerpt(ctx.trace.transaction);
    case NGX_HTTP_X402_FACILITATOR:
        return ctx.asked ? header_excerpt(ctx.asked->url.base(), 2048)
                         : std::string();
    case NGX_HTTP_X402_PROTOCOL:
        return ctx.payment ? std::string(ctx.quote.dialect->name())
                           : std::string();
    case NGX_HTTP_X402_SIGNED_RECEIPT:
        return ctx.trace.signed_receipt;
    case NGX_HTTP_X402_REASON:
        return header_excerpt(ctx.trace.reason);
    case NGX_HTTP_X402_VERIFY_TIME:
        return seconds(ctx.trace.verify_time);
    case NGX_HTTP_X402_SETTLE_TIME:
        return seconds(ctx.trace.settle_time);
    case NGX_HTTP_X402_REDELIVERY:
        return ctx.accepted && ctx.payment && ctx.payment->resumed ? "1" : "";
    case NGX_HTTP_X402_PASS_LEFT:
    case NGX_HTTP_X402_PASS_EXPIRES:
        return ctx.returning ? of_returning(*ctx.returning, which)
                             : std::string();
    case NGX_HTTP_X402_PAYER:
        if (!ctx.payment && ctx.returning) {
            return header_excerpt(std::string(ctx.returning->payer));
        }
        break;
    default:
        break;
    }
    return ctx.payment ? of_payment(*ctx.payment, which) : std::string();
}

// From the request's headers, or from where they were put when they were taken
// out.
std::string of_header(ngx_http_request_t *main, const RequestCtx *ctx,
                      uintptr_t which)
{
    PresentedHeaders presented =
        ctx && !ctx->presented.empty()
            ? ctx->presented
            : presented_payments(main->headers_in.headers, *loc_conf(main));
    if (which == NGX_HTTP_X402_PRESENTED) {
        return presented.empty() ? "" : "1";
    }
    Dialects dialects = {&dialect_v2(), &dialect_v1()};
    if (ctx && ctx->quote.location) {
        dialects = ctx->quote.location->dialects;
    } else if (loc_conf(main)->dialects) {
        dialects = *loc_conf(main)->dialects;
    }
    ChosenPayment payment = chosen_payment(presented, dialects);
    if (!payment.usable()) {
        return {};
    }
    auto payload =
        payment.dialect->decode(view(payment.header->value), nullptr);
    if (!payload) {
        return {};
    }
    // Not the client's own text: there may be line breaks between its members.
    std::string json;
    payload->document.root().write(json);
    return ascii_json(json);
}

// nginx: the handlers of the phases stand in one list, in their order.
bool is_before_access(ngx_http_request_t *r)
{
    auto *cmcf = static_cast<ngx_http_core_main_conf_t *>(
        ngx_http_get_module_main_conf(r, ngx_http_core_module));
    const ngx_http_phase_handler_t *rows = cmcf->phase_engine.handlers;
    for (ngx_int_t i = r->phase_handler; rows[i].checker; i++) {
        if (rows[i].handler == on_access) {
            return true;
        }
    }
    return false;
}

// Once for each worker: limit_req and limit_conn, for example, run before the
// payment is asked for, and would put all clients into one bucket.
void warn_of_early_use(ngx_http_request_t *r)
{
    static bool warned = false;
    bool answered = r->header_sent || r->err_status || r->headers_out.status;
    if (warned || answered || r != r->main || !loc_conf(r)->enabled
        || !is_before_access(r)) {
        return;
    }
    warned = true;
    log_line(NGX_LOG_WARN, r->connection->log,
             "a variable of x402 is read before the payment is known and is "
             "empty there (limit_req, limit_conn, set, if or auth_request); "
             "use it in headers of the response, in logs, or for the upstream");
}

// What the request is asked for, or would be asked for at this moment: known to
// modules that run before the access phase is over, such as auth_request.
std::string of_offer(ngx_http_request_t *main, const RequestCtx *ctx)
{
    if (ctx && ctx->quote.offer) {
        return ascii_json(ctx->quote.offer->accepts_json());
    }
    const LocationConf *conf = loc_conf(main);
    std::shared_ptr<const PaymentOffer> offer;
    bool made = conf->enabled && conf->offer
                && offer_now(main, *conf, offer) == OfferState::made;
    return made ? ascii_json(offer->accepts_json()) : std::string();
}

std::string value_of(ngx_http_request_t *r, uintptr_t which)
{
    if (which == NGX_HTTP_X402_MODULE_VERSION) {
        return NGX_HTTP_X402_VERSION;
    }
    // Subrequests show the values of the main request.
    const RequestCtx *ctx = find_ctx(r);
    if (which == NGX_HTTP_X402_PRESENTED || which == NGX_HTTP_X402_PAYMENT) {
        return of_header(r->main, ctx, which);
    }
    if (which == NGX_HTTP_X402_OFFER) {
        return of_offer(r->main, ctx);
    }
    if (ctx == nullptr
        || (ctx->state() == PaymentState::arrived && !ctx->returning)) {
        warn_of_early_use(r);
    }
    return ctx ? of_request(*ctx, which) : std::string();
}

ngx_int_t set_value(ngx_http_request_t *r, ngx_http_variable_value_t *v,
                    const std::string &value)
{
    if (value.empty()) {
        v->not_found = 1;
        return NGX_OK;
    }
    ngx_str_t copied = pool_copy(r->pool, value);
    if (copied.data == nullptr) {
        return NGX_ERROR;
    }
    v->len = copied.len & 0x0fffffff;
    v->data = copied.data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    return NGX_OK;
}

}  // namespace

bool add_variables(ngx_conf_t *cf)
{
    for (ngx_http_variable_t *row = ngx_http_x402_variables; row->name.len;
         row++) {
        ngx_http_variable_t *added =
            ngx_http_add_variable(cf, &row->name, row->flags);
        if (added == nullptr) {
            return false;
        }
        added->get_handler = row->get_handler;
        added->data = row->data;
    }
    return true;
}

}  // namespace x402

using namespace x402;

ngx_int_t ngx_http_x402_get_variable(ngx_http_request_t *r,
                                     ngx_http_variable_value_t *v,
                                     uintptr_t which)
{
    return guarded(r->connection->log, static_cast<ngx_int_t>(NGX_ERROR),
                   [&] { return set_value(r, v, value_of(r, which)); });
}
