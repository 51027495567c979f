// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_manifest_list.hpp"

#include <algorithm>
#include <map>

#include "nginx/conf/ngx_http_x402_hidden_location.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_offer.hpp"

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
    if (methods_of(cf, sold).empty()) {
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

// Locations may have the same path: nginx serves an exact one before a prefix.
// The other one has longer paths, which an operator's document may name.
void mark_twins(ServerSales &sales)
{
    std::map<std::string_view, std::pair<const SoldLocation *, std::size_t>>
        first;
    for (const auto &place : sales.places) {
        if (place.second == kNoRoute) {
            continue;
        }
        ManifestRoute &route = sales.routes[place.second];
        auto [found, is_new] = first.emplace(route.path, place);
        if (is_new) {
            continue;
        }
        if (place.first->core().exact_match
            && !found->second.first->core().exact_match) {
            sales.routes[found->second.second].twin = true;
            found->second = place;
        } else {
            route.twin = true;
        }
    }
}

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
            sales.routes.push_back(route_of(cf, sold, std::move(path)));
            const ManifestRoute &route = sales.routes.back();
            if (!route.currency.empty() && route.amount.empty()
                && route.highest.empty()) {
                sales.unbounded.push_back(route.path);
            }
        }
        sales.places.emplace_back(&sold, index);
    }
    mark_twins(sales);
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

}  // namespace x402
