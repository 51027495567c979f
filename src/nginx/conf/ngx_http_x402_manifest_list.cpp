// SPDX-License-Identifier: Apache-2.0
#include "nginx/conf/ngx_http_x402_manifest_list.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/url_path.hpp"
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

// Whether nginx comes to this regex with a path that the other location
// matches: it is written at the level of the server, or around that one.
bool is_regex_beside(const SoldLocation &regex, const SoldLocation &other)
{
    for (const LocationConf *level = regex.conf->enclosing; level;
         level = level->enclosing) {
        if (level->core == nullptr || level->core->noname
            || level->core->name.len == 0) {
            continue;
        }
        const LocationConf *around = other.conf;
        while (around && around != level) {
            around = around->enclosing;
        }
        return around != nullptr;
    }
    return true;
}

// The location that nginx serves a prefix's own path from, if it is another
// one: an exact one, or a regex. nullptr: it is that prefix.
class PathOwners {
public:
    explicit PathOwners(const ServerSales &sales)
    {
        for (const auto &[sold, route] : sales.places) {
            const ngx_http_core_loc_conf_t &core = sold->core();
            if (is_regex(core)) {
                regexes_.push_back(sold);
            } else if (core.exact_match) {
                exact_.emplace(view(core.name), sold);
            }
        }
    }

    const SoldLocation *other(const SoldLocation &prefix) const
    {
        const ngx_http_core_loc_conf_t &core = prefix.core();
        auto exact = exact_.find(view(core.name));
        if (exact != exact_.end()) {
            return exact->second;
        }
#if (NGX_PCRE)
        if (core.noregex) {
            return nullptr;
        }
#endif
        for (const SoldLocation *regex : regexes_) {
            if (matches(regex->core(), view(core.name))
                && is_regex_beside(*regex, prefix)) {
                return regex;
            }
        }
        return nullptr;
    }

private:
    std::map<std::string_view, const SoldLocation *> exact_;
    std::vector<const SoldLocation *> regexes_;
};

// Whether the path of its route is that of the location alone.
bool is_named_after(const SoldLocation &sold, const ManifestRoute &route)
{
    const ngx_http_core_loc_conf_t &core = sold.core();
    return !is_regex(core) && !core.exact_match
           && route.path == url_path(copy(core.name));
}

// Locations may have the same path: nginx serves an exact one, or a regex,
// before a prefix, and what is hidden there is not sold at the prefix's price.
// The prefix has longer paths, which an operator's document may name.
void mark_twins(ServerSales &sales)
{
    PathOwners owners(sales);
    std::set<std::string_view> seen;
    for (const auto &[sold, index] : sales.places) {
        if (index == kNoRoute) {
            continue;
        }
        ManifestRoute &route = sales.routes[index];
        route.twin = is_named_after(*sold, route) && owners.other(*sold);
        if (!route.twin) {
            route.twin = !seen.insert(route.path).second;
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

// As nginx chooses: exact, the longest prefix unless a regex comes first.
std::size_t find_route(const ServerSales &sales, std::string_view path)
{
    const SoldLocation *longest = nullptr;
    std::size_t index = kNoRoute;
    for (const auto &[sold, route] : sales.places) {
        const ngx_http_core_loc_conf_t &core = sold->core();
        if (is_regex(core) || !matches(core, path)) {
            continue;
        }
        if (core.exact_match) {
            return route;
        }
        if (longest == nullptr || core.name.len >= longest->core().name.len) {
            longest = sold;
            index = route;
        }
    }
#if (NGX_PCRE)
    if (longest && longest->core().noregex) {
        return index;
    }
#endif
    for (const auto &[sold, route] : sales.places) {
        if (is_regex(sold->core()) && matches(sold->core(), path)
            && (longest == nullptr || is_regex_beside(*sold, *longest))) {
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
                 "x402_manifest omits " + std::to_string(sales.left_out.size())
                     + " locations without a fixed path, such as \""
                     + sales.left_out.front()
                     + "\"; write x402_service path=... there, or list=off",
                 origin);
    }
    if (!sales.unbounded.empty()) {
        log_conf(cf, NGX_LOG_WARN,
                 "x402_manifest cannot determine the price of \""
                     + sales.unbounded.front()
                     + "\", because it has variables; write "
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
