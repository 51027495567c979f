// SPDX-License-Identifier: Apache-2.0
#include "nginx/reply/ngx_http_x402_paywall.hpp"

#include <algorithm>

#include "nginx/core/ngx_http_x402_header_list.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "policy/paywall_page.hpp"
#include "protocol/html_page.hpp"

namespace x402 {

namespace {

// All lines of that name as one, the way they may be joined.
std::string request_header(ngx_http_request_t *r, std::string_view name)
{
    std::string joined;
    each_header(r->headers_in.headers, [&](const ngx_table_elt_t &header) {
        if (header_is(header.key, name)) {
            joined += (joined.empty() ? "" : ", ") + copy(header.value);
        }
    });
    return joined;
}

// Every value of a variable is escaped, so that the author of the page does not
// have to think of it.
std::string render(const RequestCtx &ctx, const Paywall &paywall)
{
    std::string page;
    for (const Paywall::Part &part : paywall.page) {
        page += part.html;
        if (part.variable.empty()) {
            continue;
        }
        if (auto value = offered_value(*ctx.quote.offer, part.variable)) {
            append_html(page, *value);
            continue;
        }
        ngx_http_variable_value_t *value = ngx_http_get_flushed_variable(
            ctx.r, static_cast<ngx_uint_t>(part.index));
        if (value != nullptr && !value->not_found) {
            append_html(page, {reinterpret_cast<const char *>(value->data),
                               value->len});
        }
    }
    return page;
}

bool is_constant(const ngx_http_complex_value_t *value)
{
    return value == nullptr || value->lengths == nullptr;
}

std::string_view text_of(const ngx_http_complex_value_t *value)
{
    return value ? view(value->value) : std::string_view();
}

}  // namespace

namespace {

// What the script of the page can sign for. What a facilitator completes, or a
// variable says, is not known yet.
bool may_be_paid_from_page(const LocationOffer &location)
{
    const Dialects &dialects = location.dialects;
    if (std::find(dialects.begin(), dialects.end(), &dialect_v2())
        == dialects.end()) {
        return false;
    }
    for (const LocationTerm &term : location.terms) {
        std::string network = caip2_network(term.terms.network).value_or("");
        bool permit2 = term.terms.extra.find("permit2") != std::string::npos;
        if (term.terms.scheme_or_default() == "exact" && !permit2
            && network.substr(0, 7) == "eip155:") {
            return true;
        }
    }
    return false;
}

void warn_of_wallet(ngx_conf_t *cf, const LocationConf &conf)
{
    if (conf.paywall->wallet && !may_be_paid_from_page(*conf.offer)) {
        log_conf(cf, NGX_LOG_WARN,
                 "the page of \"x402_paywall wallet\" pays by scheme exact of "
                 "version 2 on EVM networks only, which is not offered here; "
                 "write \"x402_paywall on\", or offer that "
                 "way to pay, too",
                 conf.origin);
    }
}

}  // namespace

bool prepare_paywall(ngx_conf_t *cf, LocationConf &conf,
                     const LocationConf &outer)
{
    if (conf.paywall == nullptr || !conf.paywall->on
        || !conf.paywall->page.empty() || conf.offer->terms.empty()) {
        return true;
    }
    const LocationOffer &location = *conf.offer;
    bool same = conf.paywall == outer.paywall && conf.offer == outer.offer
                && conf.description == outer.description
                && conf.error == outer.error;
    if (same && conf.paywall->prepared_for == location.constant.get()) {
        return true;
    }
    if (!same) {
        warn_of_wallet(cf, conf);
    }
    auto *own = pool_new<Paywall>(cf->pool, *conf.paywall);
    if (own == nullptr) {
        return false;
    }
    own->prepared.reset();
    own->prepared_for = nullptr;
    conf.paywall = own;
    if (!location.constant || location.with_supported
        || !is_constant(conf.description) || !is_constant(conf.error)) {
        return true;
    }
    std::string_view error = text_of(conf.error);
    error = error == kPaymentRequired ? std::string_view() : error;
    own->prepared = PreparedText::around([&](std::string_view url) {
        return paywall_page(*location.constant,
                            {url, text_of(conf.description), {}}, error,
                            own->wallet);
    });
    own->prepared_for = location.constant.get();
    return true;
}

bool paywall_for(const RequestCtx &ctx, ngx_str_t &page)
{
    if (ctx.quote.conf == nullptr || ctx.quote.conf->paywall == nullptr
        || ctx.quote.offer == nullptr || ctx.quote.offer->options().empty()) {
        return false;
    }
    const auto &paywall = *ctx.quote.conf->paywall;
    if (!paywall.on
        || !is_browser(request_header(ctx.r, "accept"),
                       request_header(ctx.r, "user-agent"))) {
        return false;
    }
    if (!paywall.page.empty()) {
        page = pool_copy(ctx.r->pool, render(ctx, paywall));
        return true;
    }
    if (paywall.prepared && paywall.prepared_for == ctx.quote.offer.get()) {
        std::string url;
        append_html(url, ctx.quote.resource_url);
        std::size_t length = paywall.prepared->length(url);
        page.data = static_cast<u_char *>(ngx_pnalloc(ctx.r->pool, length));
        page.len = page.data ? length : 0;
        if (page.data) {
            paywall.prepared->write(reinterpret_cast<char *>(page.data), url);
        }
        return true;
    }
    std::string_view reason = ctx.quote.unpaid_error == kPaymentRequired
                                  ? ""
                                  : ctx.quote.unpaid_error;
    page = pool_copy(ctx.r->pool,
                     paywall_page(*ctx.quote.offer,
                                  {ctx.quote.resource_url,
                                   ctx.quote.description, ctx.quote.mime_type},
                                  reason, paywall.wallet));
    return true;
}

}  // namespace x402
