// SPDX-License-Identifier: Apache-2.0
// One paid location as a manifest describes it: path, methods, prices.
#include <algorithm>

#include "base/decimal_amount.hpp"
#include "base/url_path.hpp"
#include "nginx/conf/ngx_http_x402_hidden_location.hpp"
#include "nginx/conf/ngx_http_x402_manifest_list.hpp"
#include "nginx/offer/ngx_http_x402_extensions.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"
#include "policy/asset_table.hpp"
#include "policy/network_address.hpp"

namespace x402 {

namespace {

bool contains(const std::vector<std::string> &list, const std::string &word)
{
    return std::find(list.begin(), list.end(), word) != list.end();
}

// Those of the operator's that must pay.
std::vector<std::string> written_methods(const SoldLocation &sold)
{
    const auto *charged = sold.conf->methods;
    std::vector<std::string> methods;
    if (sold.card) {
        for (const std::string &method : sold.card->methods) {
            if (charged == nullptr || contains(*charged, method)) {
                methods.push_back(method);
            }
        }
    }
    if (!methods.empty()) {
        return methods;
    }
    if (charged) {
        return *charged;
    }
    JsonValue input = extensions_of(*sold.conf).find("bazaar")["info"]["input"];
    if (input["method"].is_string()) {
        return {std::string(input["method"].string())};
    }
    bool has_body = input["bodyType"].exists()
                    || input["type"].string() == "mcp"
                    || sold.conf->read_body != 0;
    return {has_body ? "POST" : "GET"};
}

// ISO 4217; empty: the token is not one of a currency.
std::string currency_of(std::string_view network, std::string_view asset)
{
    std::string id = canonical_network(network);
    const Asset *known = find_asset_by_address(id, asset);
    if (known == nullptr) {
        return {};
    }
    if (known->symbol.substr(0, 3) == "EUR") {
        return "EUR";
    }
    return known == default_asset(id)
                   || known->symbol.find("USD") != std::string_view::npos
               ? "USD"
               : "";
}

std::string offer_method(std::string_view network)
{
    std::string_view family = network_family(network);
    return family == "eip155" ? "evm" : std::string(family);
}

void add_constant_price(const PaymentOffer &offer, ManifestRoute &route)
{
    for (const PaymentOffer::Option &option : offer.options()) {
        const PaymentRequirements &way = option.requirements;
        if (!way.plan.empty()) {
            continue;
        }
        route.offers.push_back(
            {offer_method(way.network), way.asset, way.amount});
        std::string currency = currency_of(way.network, way.asset);
        if (!route.currency.empty() || currency.empty() || !way.decimals) {
            continue;
        }
        route.currency = currency;
        std::string amount = to_decimal(way.amount, *way.decimals);
        if (way.scheme == "upto") {
            route.lowest = "0";
            route.highest = amount;
        } else {
            route.amount = amount;
        }
    }
    route.accepts_json = offer.accepts_json();
}

void add_variable_price(const LocationOffer &offer, const ServiceCard *card,
                        ManifestRoute &route)
{
    for (const LocationTerm &term : offer.terms) {
        if (term.plan) {
            continue;
        }
        std::string network = caip2_network(term.terms.network).value_or("");
        std::string id = canonical_network(network);
        const Asset *asset = term.terms.asset.empty()
                                 ? default_asset(id)
                                 : find_asset_by_symbol(id, term.terms.asset);
        route.offers.push_back({offer_method(network),
                                asset ? std::string(asset->address)
                                      : wire_address(network, term.terms.asset),
                                {}});
    }
    route.currency = "USD";
    if (card && !card->highest.empty()) {
        route.lowest = card->lowest;
        route.highest = card->highest;
    }
}

std::string constant_of(const ngx_http_complex_value_t *value)
{
    return value && !value->lengths ? copy(value->value) : std::string();
}

}  // namespace

std::vector<std::string> methods_of(ngx_conf_t *cf, const SoldLocation &sold)
{
    std::vector<std::string> methods;
    for (std::string &method : written_methods(sold)) {
        if (!contains(methods, method)
            && !is_method_hidden(cf, sold.loc_conf, method)) {
            methods.push_back(std::move(method));
        }
    }
    return methods;
}

bool is_regex(const ngx_http_core_loc_conf_t &core)
{
#if (NGX_PCRE)
    return core.regex != nullptr;
#else
    (void)core;
    return false;
#endif
}

std::string path_of(const SoldLocation &sold)
{
    if (sold.card && !sold.card->path.empty()) {
        return sold.card->path;
    }
    if (const RouteTemplate *route = extensions_of(*sold.conf).route()) {
        return route->openapi_path();
    }
    const ngx_http_core_loc_conf_t &core = sold.core();
    if (is_regex(core) || core.name.len == 0 || core.name.data[0] != '/') {
        return {};
    }
    std::string path = copy(core.name);
    bool is_folder = !core.exact_match && path.size() > 1 && path.back() == '/';
    return url_path(path) + (is_folder ? "{path}" : "");
}

ManifestRoute route_of(ngx_conf_t *cf, const SoldLocation &sold,
                       std::string path)
{
    ManifestRoute route;
    route.path = std::move(path);
    route.methods = methods_of(cf, sold);
    if (sold.conf->methods) {
        route.charged = *sold.conf->methods;
    }
    route.description = constant_of(sold.conf->description);
    route.mime_type = constant_of(sold.conf->mime_type);
    route.url = constant_of(sold.conf->resource);
    route.bazaar = extensions_of(*sold.conf).find("bazaar");
    const LocationOffer &offer = location_offer(*sold.conf);
    if (asks_signature_alone(*sold.conf)) {
        route.signature_alone = true;
    } else if (offer.constant) {
        add_constant_price(*offer.constant, route);
    } else {
        add_variable_price(offer, sold.card, route);
    }
    return route;
}

}  // namespace x402
