// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_scope.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>

#include "nginx/core/ngx_http_x402_complex_value.hpp"
#include "nginx/request/ngx_http_x402_price_grace.hpp"
#include "nginx/request/ngx_http_x402_quote.hpp"
#include "nginx/worker/ngx_http_x402_worker.hpp"
#include "policy/claim_key.hpp"

namespace x402 {

namespace {

// Locations with one name differ in their kind: = /a, /a and ~ /a; and in the
// locations around them.
std::string location_name(const LocationConf &conf)
{
    std::string name;
    for (const LocationConf *level = &conf; level; level = level->enclosing) {
        const ngx_http_core_loc_conf_t *core = level->core;
        // nginx: a block such as `if` has the name of its location.
        if (core == nullptr || core->noname || core->name.len == 0) {
            continue;
        }
        const char *kind = core->exact_match ? "= " : "";
#if (NGX_PCRE)
        kind = core->regex ? "~ " : kind;
#endif
        name += kind + copy(core->name) + "\n";
    }
    return name;
}

// What the scope of a request is made of. Lifetime: the request.
struct ScopeParts {
    const LocationConf *conf;
    const ScopeRules *rules;
    std::string_view key;
    ResourceParts resource;
};

Digest digest_of(ScopeParts parts, const char *purpose)
{
    std::string place;
    std::string kind = purpose;
    ResourceParts &resource = parts.resource;
    switch (parts.rules->scope) {
    case ScopeKind::url:
        kind += " url";
        break;
    case ScopeKind::location:
        kind += " location";
        place = location_name(*parts.conf);
        resource.request_uri = place;
        break;
    case ScopeKind::server:
        kind += " server";
        break;
    case ScopeKind::name:
        kind += " name";
        resource.request_uri = parts.rules->name;
        break;
    }
    resource.method = kind;
    // The bodies of claims are digests: no resource of a claim is a scope.
    std::string shown = "key " + std::string(parts.key);
    resource.body = shown;
    return resource_digest(resource);
}

}  // namespace

// The scopes that were asked for lately. Rules and location are those of one
// configuration, so it belongs to a worker.
class ScopeMemo {
public:
    // As digest_of(). Money: known by all that it is made of.
    Digest scope(const ScopeParts &parts, const char *purpose)
    {
        Place &place = places_[place_of(parts)];
        if (!place.is(parts)) {
            Digest digest = digest_of(parts, purpose);
            place.conf = nullptr;  // until all of it is written
            place.rules = parts.rules;
            place.port = parts.resource.port;
            place.server = parts.resource.server;
            place.key = parts.key;
            place.host = parts.resource.host;
            place.uri = parts.resource.request_uri;
            place.digest = digest;
            place.conf = parts.conf;
        }
        return place.digest;
    }

private:
    static constexpr std::size_t kPlaces = 64;

    struct Place {
        const LocationConf *conf = nullptr;
        const ScopeRules *rules = nullptr;
        std::uint16_t port = 0;
        std::string server;
        std::string key;
        std::string host;
        std::string uri;
        Digest digest{};

        bool is(const ScopeParts &parts) const
        {
            return conf == parts.conf && rules == parts.rules
                   && port == parts.resource.port && key == parts.key
                   && host == parts.resource.host
                   && uri == parts.resource.request_uri
                   && server == parts.resource.server;
        }
    };

    static std::size_t place_of(const ScopeParts &parts)
    {
        std::size_t hash =
            reinterpret_cast<std::uintptr_t>(parts.rules) / sizeof(void *)
            + 31 * reinterpret_cast<std::uintptr_t>(parts.conf)
                  / sizeof(LocationConf)
            + 7 * parts.resource.host.size();
        for (std::string_view text : {parts.key, parts.resource.request_uri}) {
            hash ^= text.empty() ? 0 : std::hash<std::string_view>()(text);
        }
        return hash % kPlaces;
    }

    std::array<Place, kPlaces> places_;
};

// Money: the host is the client's word, and it is part of the scope as well as
// the server that answers to it: what was bought from one tenant opens nothing
// of another.
std::optional<Digest> scope_of(RequestCtx &ctx, const LocationConf &conf,
                               const ScopeRules &rules, const char *purpose)
{
    ScopeParts parts{&conf, &rules, {}, {}};
    if (!evaluate(ctx.r, rules.key, parts.key)) {
        return std::nullopt;
    }
    if (rules.scope != ScopeKind::name) {
        parts.resource = resource_of(ctx);
        parts.resource.method = parts.resource.body = {};
    }
    if (rules.scope != ScopeKind::url) {
        parts.resource.request_uri = {};
    }
    Worker *worker = worker_of(main_conf(ctx.r));
    if (worker == nullptr) {
        return digest_of(parts, purpose);
    }
    if (!worker->scopes) {
        worker->scopes = std::make_shared<ScopeMemo>();
    }
    return worker->scopes->scope(parts, purpose);
}

bool is_paid_with(RequestCtx &ctx, const LocationConf &conf,
                  const ClaimBinding &bought)
{
    std::shared_ptr<const PaymentOffer> offer;
    if (conf.offer == nullptr
        || offer_now(ctx.r, conf, offer) != OfferState::made) {
        return false;
    }
    ClaimBinding wanted;
    wanted.resource = bought.resource;
    const auto &options = offer->options();
    return std::any_of(options.begin(), options.end(),
                       [&](const PaymentOffer::Option &option) {
                           bind_option(wanted, option);
                           return covers(bought, wanted);
                       });
}

}  // namespace x402
