// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_scope.hpp"

#include <algorithm>

#include "nginx/core/ngx_http_x402_complex_value.hpp"
#include "nginx/request/ngx_http_x402_price_grace.hpp"
#include "nginx/request/ngx_http_x402_quote.hpp"
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

}  // namespace

// Money: the host is the client's word, and it is part of the scope as well as
// the server that answers to it: what was bought from one tenant opens nothing
// of another.
std::optional<Digest> scope_of(RequestCtx &ctx, const LocationConf &conf,
                               const ScopeRules &rules, const char *purpose)
{
    std::string_view key;
    if (!evaluate(ctx.r, rules.key, key)) {
        return std::nullopt;
    }
    ResourceParts parts;
    std::string place;
    std::string kind = purpose;
    if (rules.scope != ScopeKind::name) {
        parts = resource_of(ctx);
    }
    switch (rules.scope) {
    case ScopeKind::url:
        kind += " url";
        break;
    case ScopeKind::location:
        kind += " location";
        place = location_name(conf);
        parts.request_uri = place;
        break;
    case ScopeKind::server:
        kind += " server";
        parts.request_uri = {};
        break;
    case ScopeKind::name:
        kind += " name";
        parts.request_uri = rules.name;
        break;
    }
    parts.method = kind;
    // The bodies of claims are digests: no resource of a claim is a scope.
    std::string shown = "key " + std::string(key);
    parts.body = shown;
    return resource_digest(parts);
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
