// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_manifest_list.hpp"

#include <algorithm>

#include "base/decimal_amount.hpp"
#include "nginx/conf/ngx_http_x402_hidden_location.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_extensions.hpp"
#include "nginx/offer/ngx_http_x402_guest_rules.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"
#include "policy/asset_table.hpp"
#include "policy/network_address.hpp"

namespace x402 {

namespace {

bool is_shown(ngx_conf_t *cf, const SoldLocation &sold)
{
    const LocationConf &conf = *sold.conf;
    auto listing =
        sold.card ? sold.card->listing : ServiceCard::Listing::by_rule;
    if (!conf.enabled || conf.offer == nullptr
        || listing == ServiceCard::Listing::hidden) {
        return false;
    }
    switch (visibility_of(cf, sold.loc_conf)) {
    case Visibility::open:
        return true;
    case Visibility::by_subrequest:
        return listing == ServiceCard::Listing::shown;
    case Visibility::hidden:
        break;
    }
    return false;
}

struct ServerSales {
    std::vector<ManifestRoute> routes;
    // Every location, with the index of its route or kNoRoute.
    std::vector<std::pair<const SoldLocation *, std::size_t>> places;
    std::vector<std::string> left_out;   // names of regex locations
    std::vector<std::string> unbounded;  // paths with prices not said
};

ServerSales sales_of(ngx_conf_t *cf, const SaleList &list,
                     const ngx_http_core_srv_conf_t *server)
{
    ServerSales sales;
    for (const SoldLocation &sold : list.locations) {
        if (sold.server != server) {
            continue;
        }
        std::size_t index = kNoRoute;
        std::string path = path_of(sold);
        if (is_shown(cf, sold) && path.empty()) {
            sales.left_out.push_back(copy(sold.core().name));
        } else if (is_shown(cf, sold)) {
            index = sales.routes.size();
            sales.routes.push_back(route_of(sold, std::move(path)));
            const ManifestRoute &route = sales.routes.back();
            if (!route.currency.empty() && route.amount.empty()
                && route.highest.empty()) {
                sales.unbounded.push_back(route.path);
            }
        }
        sales.places.emplace_back(&sold, index);
    }
    return sales;
}

bool matches(const ngx_http_core_loc_conf_t &core, std::string_view path)
{
#if (NGX_PCRE)
    if (core.regex != nullptr) {
        ngx_str_t text = to_ngx_str(path);
        return ngx_regex_exec(core.regex->regex, &text, nullptr, 0) >= 0;
    }
#endif
    std::string_view name = view(core.name);
    return core.exact_match ? path == name
                            : path.substr(0, name.size()) == name;
}

// As nginx chooses: exact, the longest prefix unless a regex comes first.
std::size_t find_route(const ServerSales &sales, std::string_view path)
{
    const ngx_http_core_loc_conf_t *longest = nullptr;
    std::size_t index = kNoRoute;
    for (const auto &[sold, route] : sales.places) {
        const ngx_http_core_loc_conf_t &core = sold->core();
        if (is_regex(core) || !matches(core, path)) {
            continue;
        }
        if (core.exact_match) {
            return route;
        }
        if (longest == nullptr || core.name.len >= longest->name.len) {
            longest = &core;
            index = route;
        }
    }
#if (NGX_PCRE)
    if (longest && longest->noregex) {
        return index;
    }
#endif
    for (const auto &[sold, route] : sales.places) {
        if (is_regex(sold->core()) && matches(sold->core(), path)) {
            return route;
        }
    }
    return index;
}

void warn_of_gaps(ngx_conf_t *cf, const ServerSales &sales,
                  const ConfOrigin &origin)
{
    if (!sales.left_out.empty()) {
        log_conf(cf, NGX_LOG_WARN,
                 "x402_manifest leaves out "
                     + std::to_string(sales.left_out.size())
                     + " locations whose paths it cannot know, such as \""
                     + sales.left_out.front()
                     + "\"; write x402_service path=... there, or list=off",
                 origin);
    }
    if (!sales.unbounded.empty()) {
        log_conf(cf, NGX_LOG_WARN,
                 "x402_manifest cannot say what \"" + sales.unbounded.front()
                     + "\" costs, because its price has variables; write "
                       "x402_service price=lowest-highest there",
                 origin);
    }
}

ManifestService service_of(const SoldLocation &at)
{
    ManifestService about;
    if (const Service *service = at.conf->service) {
        about.title = service->card.name;
        about.contact = service->card.contact;
        about.guidance = service->card.guidance;
        about.proof = service->card.proof;
    }
    if (about.title.empty()) {
        about.title = copy(at.server->server_name);
    }
    if (about.title.empty()) {
        about.title = "Paid content";
    }
    return about;
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
        route.offers.push_back(
            {offer_method(network),
             asset ? std::string(asset->address) : term.terms.asset,
             {}});
    }
    route.currency = "USD";
    if (card && !card->highest.empty()) {
        route.lowest = card->lowest;
        route.highest = card->highest;
    }
}

std::vector<std::string> methods_of(const SoldLocation &sold)
{
    if (sold.card && !sold.card->methods.empty()) {
        return sold.card->methods;
    }
    if (sold.conf->methods) {
        return *sold.conf->methods;
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

std::string constant_of(const ngx_http_complex_value_t *value)
{
    return value && !value->lengths ? copy(value->value) : std::string();
}

}  // namespace

bool record_location(ngx_conf_t *cf, const LocationConf &conf,
                     const LocationConf &outer)
{
    SaleList *list = main_conf(cf)->sales;
    auto *ctx = static_cast<ngx_http_conf_ctx_t *>(cf->ctx);
    auto *core = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    // nginx: blocks of `if` and limit_except are locations without a name.
    if (list == nullptr || core->named || core->noname) {
        return true;
    }
    auto *server = static_cast<ngx_http_core_srv_conf_t *>(
        ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module));
    bool own = conf.service && conf.service != outer.service;
    list->locations.push_back(
        {server, ctx->loc_conf, &conf, own ? &conf.service->card : nullptr});
    return true;
}

bool build_manifests(ngx_conf_t *cf, const MainConf &mcf)
{
    if (mcf.sales == nullptr) {
        return true;
    }
    const ngx_http_core_srv_conf_t *last = nullptr;
    ServerSales sales;
    for (const SoldLocation &at : mcf.sales->locations) {
        auto manifest =
            std::find(mcf.sales->manifests.begin(), mcf.sales->manifests.end(),
                      at.conf->manifest);
        if (at.conf->manifest == nullptr
            || manifest == mcf.sales->manifests.end()) {
            continue;
        }
        if (at.server != last) {
            last = at.server;
            sales = sales_of(cf, *mcf.sales, at.server);
            warn_of_gaps(cf, sales,
                         mcf.sales->origins[static_cast<std::size_t>(
                             manifest - mcf.sales->manifests.begin())]);
        }
        if ((*manifest)->format == ManifestFormat::openapi) {
            auto find = [&](std::string_view path) {
                return find_route(sales, path);
            };
            (*manifest)->pieces = {openapi_manifest(
                service_of(at), sales.routes, (*manifest)->base.root(), find)};
        } else {
            (*manifest)->pieces = resource_manifest(sales.routes, ngx_time());
        }
    }
    return true;
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
    return is_folder ? path + "{path}" : path;
}

ManifestRoute route_of(const SoldLocation &sold, std::string path)
{
    ManifestRoute route;
    route.path = std::move(path);
    route.methods = methods_of(sold);
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
