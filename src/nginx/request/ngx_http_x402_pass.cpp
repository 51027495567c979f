// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_pass.hpp"

#include <algorithm>
#include <array>

#include "base/hex_codec.hpp"
#include "nginx/core/ngx_http_x402_complex_value.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/request/ngx_http_x402_batch.hpp"
#include "nginx/request/ngx_http_x402_price_grace.hpp"
#include "nginx/request/ngx_http_x402_returning_client.hpp"
#include "nginx/request/ngx_http_x402_scope.hpp"
#include "nginx/zone/ngx_http_x402_small_zones.hpp"

namespace x402 {

namespace {

// A browser sends cookies of all paths that fit, the longest first.
constexpr std::size_t kMostShown = 4;

// --- what a client shows -----------------------------------------------------

std::string cookie_name(const Digest &scope)
{
    return std::string(kPassCookie) + hex_encode(scope.data(), 4);
}

// In the order in which they are tried.
struct ShownTexts {
    std::array<std::string_view, kMostShown> texts;
    std::size_t count = 0;

    bool is_full() const { return count == texts.size(); }
    void add(std::string_view text)
    {
        if (!is_full()) {
            texts[count++] = text;
        }
    }
};

void find_cookies(std::string_view line, std::string_view name,
                  ShownTexts &found)
{
    while (!line.empty() && !found.is_full()) {
        std::string_view pair = line.substr(0, line.find(';'));
        line.remove_prefix(std::min(line.size(), pair.size() + 1));
        pair.remove_prefix(
            std::min(pair.size(), pair.find_first_not_of(" \t")));
        if (pair.size() > name.size() && pair[name.size()] == '='
            && pair.substr(0, name.size()) == name) {
            found.add(pair.substr(name.size() + 1));
        }
    }
}

ShownTexts shown_passes(const ClientSecrets &secrets, const PassRules &rules,
                        const Digest &scope)
{
    ShownTexts found;
    for (const ngx_str_t &pass : secrets.passes) {
        found.add(view(pass));
    }
    for (const ngx_str_t &line : secrets.cookies) {
        if (rules.cookie) {
            find_cookies(view(line), cookie_name(scope), found);
        }
    }
    return found;
}

// Gives a request back that was counted and got nothing for it.
struct CountedUse {
    CountedUse(ngx_http_request_t *request, ngx_shm_zone_t *of,
               const PassId &is, std::uint32_t count)
        : r(request), zone(of), id(is), requests(count)
    {
    }
    ~CountedUse()
    {
        if (got_nothing(r)) {
            guarded(ngx_cycle->log, 0, [&] {
                give_back_pass(zone, id, requests);
                return 0;
            });
        }
    }
    CountedUse(const CountedUse &) = delete;
    CountedUse &operator=(const CountedUse &) = delete;

    ngx_http_request_t *r;
    ngx_shm_zone_t *zone;
    PassId id;
    std::uint32_t requests;
};

PassCount count_here(RequestCtx &ctx, const LocationConf &conf,
                     const AccessPass &pass, std::uint32_t requests,
                     std::uint32_t &left)
{
    ngx_shm_zone_t *zone = conf.pass->zone;
    PassFault fault =
        zone ? use_pass(zone, pass.id, requests, left) : PassFault::unknown;
    if (fault != PassFault::none) {
        return fault == PassFault::used_up ? PassCount::used_up
                                           : PassCount::unknown;
    }
    // Money: without memory it stays counted.
    pool_new<CountedUse>(ctx.r->pool, ctx.r, zone, pass.id, requests);
    return PassCount::taken;
}

PassAnswer refuse_pass(RequestCtx &ctx, PassFault fault)
{
    ctx.returning_fault = pass_refusal(fault);
    return PassAnswer::none;
}

// Takes what this request needs of a counted pass.
PassAnswer count_pass_use(RequestCtx &ctx, const LocationConf &conf,
                          const AccessPass &pass, ReturningClient &client)
{
    std::uint32_t left = 0;
    std::uint32_t requests = count_requests(ctx);
    PassCount counted = store_of(ctx)
                            ? count_in_store(ctx, conf, pass, requests, left)
                            : count_here(ctx, conf, pass, requests, left);
    switch (counted) {
    case PassCount::taken:
        break;
    case PassCount::unknown:
        return refuse_pass(ctx, PassFault::unknown);
    case PassCount::used_up:
        return refuse_pass(ctx, PassFault::used_up);
    case PassCount::asks_store:
        return PassAnswer::asks_store;
    case PassCount::store_away:
        return PassAnswer::store_away;
    case PassCount::failed:
        return PassAnswer::failed;
    }
    client.left = left;
    return PassAnswer::admitted;
}

PassAnswer admit_pass(RequestCtx &ctx, const LocationConf &conf,
                      const Digest &scope, const AccessPass &pass)
{
    if (pass.bought.resource != scope) {
        return refuse_pass(ctx, PassFault::other_scope);
    }
    if (!is_paid_with(ctx, conf, pass.bought)) {
        return refuse_pass(ctx, PassFault::other_price);
    }
    ReturningClient *client = make_returning(ctx, pass.payer);
    if (client == nullptr) {
        return PassAnswer::failed;
    }
    client->bought = pass.bought;
    client->expires = pass.expires();
    PassAnswer answer = pass.counted ? count_pass_use(ctx, conf, pass, *client)
                                     : PassAnswer::admitted;
    if (answer == PassAnswer::admitted) {
        ctx.returning_fault = nullptr;
        ctx.returning = client;
    }
    return answer;
}

PassAnswer take_shown(RequestCtx &ctx, const LocationConf &conf,
                      const Digest &scope, std::string_view text)
{
    ShownPass shown = read_pass(text, pass_keys(conf)->keys, ngx_time());
    return shown.pass ? admit_pass(ctx, conf, scope, *shown.pass)
                      : refuse_pass(ctx, shown.fault);
}

PassAnswer take_first(RequestCtx &ctx, const LocationConf &conf,
                      const Digest &scope, const ShownTexts &shown)
{
    for (std::size_t i = 0; i < shown.count; i++) {
        PassAnswer answer = take_shown(ctx, conf, scope, shown.texts[i]);
        if (answer != PassAnswer::none) {
            return answer;
        }
    }
    return PassAnswer::none;
}

// The store is asked about one after the other. One that it may not know yet
// does not keep the next one from being good.
PassAnswer take_with_store(RequestCtx &ctx, const LocationConf &conf,
                           const Digest &scope, const ShownTexts &shown)
{
    ReturningState &state = returning_state(ctx, conf);
    for (; state.passes_seen < shown.count; state.passes_seen++) {
        PassAnswer answer =
            take_shown(ctx, conf, scope, shown.texts[state.passes_seen]);
        if (answer == PassAnswer::store_away) {
            state.pass_in_doubt = true;
        } else if (answer != PassAnswer::none) {
            state.passes_seen += answer == PassAnswer::asks_store ? 0 : 1;
            return answer;
        }
    }
    return state.pass_in_doubt ? PassAnswer::store_away : PassAnswer::none;
}

// --- what is issued

// Of a cookie: where the URL is all that the pass opens.
std::string cookie_path(ngx_http_request_t *r, const PassRules &rules)
{
    std::string_view path = view(r->unparsed_uri);
    path = path.substr(0, path.find('?'));
    bool plain = !path.empty() && path.front() == '/'
                 && std::all_of(path.begin(), path.end(), [](char c) {
                        return c > ' ' && c < 0x7f && c != ';' && c != ',';
                    });
    return rules.scope == ScopeKind::url && plain ? std::string(path) : "/";
}

std::string cookie_text(ngx_http_request_t *r, const PassRules &rules,
                        const AccessPass &pass, const std::string &text)
{
    return cookie_name(pass.bought.resource) + "=" + text
           + "; Path=" + cookie_path(r, rules)
           + "; Max-Age=" + std::to_string(pass.expires() - ngx_time())
           + "; Secure; HttpOnly; SameSite=Lax";
}

// False: there is no room.
bool begin_count(RequestCtx &ctx, const PassRules &rules,
                 const AccessPass &pass, ReturningClient &client)
{
    if (rules.requests == 0) {
        return true;
    }
    if (SharedStore *store = store_of(ctx)) {
        issue_in_store(*store, pass, rules.requests);
        client.left = rules.requests;
        return true;
    }
    std::uint32_t left = 0;
    if (!count_pass(rules.zone, pass.id, rules.requests, pass.expires(),
                    left)) {
        log_seldom(
            NGX_LOG_ERR, ctx.r->connection->log,
            "content is sent without a pass: zone \""
                + copy(rules.zone->shm.name)
                + "\" is full of valid passes; make it larger (x402_pass "
                  "zone=name:size)");
        return false;
    }
    client.left = left;
    return true;
}

}  // namespace

PassAnswer take_pass(RequestCtx &ctx, const LocationConf &conf)
{
    if (ctx.returning) {
        // An internal redirect of a request that was let in: what it has shown
        // is good for the same price everywhere.
        return is_paid_with(ctx, conf, ctx.returning->bought)
                   ? PassAnswer::admitted
                   : PassAnswer::none;
    }
    const ClientSecrets *secrets = client_secrets(ctx.r);
    if (secrets == nullptr) {
        return PassAnswer::none;
    }
    const PassRules &rules = *conf.pass;
    std::optional<Digest> scope = scope_of(ctx, conf, rules, "pass");
    if (!scope) {
        return PassAnswer::failed;
    }
    ShownTexts shown = shown_passes(*secrets, rules, *scope);
    if (shown.count == 0) {
        return PassAnswer::none;
    }
    return store_of(ctx) ? take_with_store(ctx, conf, *scope, shown)
                         : take_first(ctx, conf, *scope, shown);
}

bool issue_pass(RequestCtx &ctx, IssuedPass &issued)
{
    if (!is_proven_sale(ctx)) {
        return true;
    }
    const LocationConf &conf = *ctx.quote.conf;
    const PassRules &rules = *conf.pass;
    const Payment &payment = *ctx.payment;
    std::optional<Digest> scope = scope_of(ctx, conf, rules, "pass");
    ReturningClient *client = make_returning(ctx, {});
    if (!scope || client == nullptr) {
        return false;
    }
    AccessPass pass;
    pass.id = pass_id_of(payment.facts.key);
    // Money: issued now, though its content may have been owed for long. Other
    // machines give the store some seconds from then to hear of it.
    std::int64_t expires = settled_at(ctx) + std::int64_t{rules.seconds};
    if (expires <= ngx_time()) {
        return true;  // it is delivered later than the pass is good for
    }
    pass.issued = ngx_time();
    pass.seconds = static_cast<std::uint32_t>(expires - pass.issued);
    pass.counted = rules.requests != 0;
    pass.bought = sold_binding(payment);
    pass.bought.resource = *scope;
    pass.payer = proven_payer(ctx);
    if (!begin_count(ctx, rules, pass, *client)) {
        return true;
    }
    client->kind = ReturningKind::buyer;
    client->expires = pass.expires();
    ctx.returning = client;
    std::string text = write_pass(pass, pass_keys(conf)->keys.front()->view());
    if (rules.cookie) {
        issued.cookie = cookie_text(ctx.r, rules, pass, text);
    }
    if (rules.header) {
        issued.header = std::move(text);
    }
    return true;
}

}  // namespace x402
