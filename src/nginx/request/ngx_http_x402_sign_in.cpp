// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_sign_in.hpp"

#include <algorithm>
#include <optional>

#include "base/token_signature.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/request/ngx_http_x402_price_grace.hpp"
#include "nginx/request/ngx_http_x402_quote.hpp"
#include "nginx/request/ngx_http_x402_returning_client.hpp"
#include "nginx/request/ngx_http_x402_scope.hpp"
#include "nginx/request/ngx_http_x402_sign_in_proof.hpp"
#include "nginx/zone/ngx_http_x402_bought_zone.hpp"
#include "nginx/zone/ngx_http_x402_small_zones.hpp"
#include "protocol/sign_in_message.hpp"
#include "session/sign_in_nonce.hpp"

namespace x402 {

namespace {

// Until when a copy of a signature of this moment could be good.
std::int64_t nonce_expires()
{
    return ngx_time() + kSignInSeconds + kSignInClockSeconds;
}

// Money: a nonce is used once, also by a stranger, which may buy in a moment.
// If there is no room for strangers, the nonce of a stranger is not noted.
// SignInAnswer::none: it was not used before.
SignInAnswer use_nonce_here(RequestCtx &ctx, const LocationConf &conf,
                            const Digest &nonce, std::int64_t issued,
                            NonceOf whose)
{
    switch (use_nonce(conf.sign_in->nonces, nonce, issued, nonce_expires(),
                      whose)) {
    case NonceUse::first:
        break;
    case NonceUse::again:
        return refuse_sign_in(ctx, kSignInNonceUsed, "");
    case NonceUse::no_room:
        return whose == NonceOf::payer ? SignInAnswer::busy
                                       : SignInAnswer::none;
    }
    return SignInAnswer::none;
}

// --- what was bought ---------------------------------------------------------

struct Purchase {
    ClaimBinding bought;
    std::int64_t until = 0;
};

// What this machine knows of the payer, and where a signature is enough an
// empty one. nullopt: nothing that pays for this request.
std::optional<Purchase> find_purchase(const LocationConf &conf,
                                      const PaymentOffer &offer,
                                      const Digest &scope,
                                      const std::string &payer)
{
    Purchase found;
    if (conf.sign_in->only) {
        return found;
    }
    ClaimBinding &bought = found.bought;
    bought.resource = scope;
    for (const auto &option : offer.options()) {
        ClaimBinding wanted = bought;
        bind_option(wanted, option);
        bought.terms = wanted.terms;
        auto asked = find_bought(conf.sign_in->zone, bought_key(payer, bought),
                                 found.until);
        if (asked) {
            bought.asked = *asked;
            if (covers(bought, wanted)) {
                return found;
            }
        }
    }
    return std::nullopt;
}

// Precondition: the nonce of its signature was not used before.
SignInAnswer admit(RequestCtx &ctx, const std::string &payer,
                   const Purchase &purchase)
{
    ReturningClient *client = make_returning(ctx, payer);
    if (client == nullptr) {
        return SignInAnswer::failed;
    }
    client->kind = ReturningKind::signed_in;
    client->bought = purchase.bought;
    client->expires = purchase.until;
    ctx.returning = client;
    return SignInAnswer::admitted;
}

SignInAnswer not_paid(RequestCtx &ctx)
{
    ctx.returning_fault = &kSignInNotPaid;
    return SignInAnswer::none;
}

// --- what several machines know together ------------------------------------

Digest store_key(const BoughtKey &bought)
{
    Digest key{};
    std::copy(bought.begin(), bought.end(), key.begin());
    return key;
}

// All that a payer has bought lies in one shard.
StoreOrder bought_order(const SharedStore &store, const std::string &payer,
                        const Digest &key, std::int64_t expires)
{
    StoreOrder order =
        order_without_claim(store, StoreScript::bought, key, expires);
    order.claim.shard = store_shard(sha256(payer));
    return order;
}

SignInAnswer ask(ReturningState &state, StoreOrder order)
{
    state.question = std::make_shared<StoreQuestion>();
    state.question->order = std::move(order);
    return SignInAnswer::asks_store;
}

// By option: kMostBought of them at most.
SignInAnswer ask_for_purchases(ReturningState &state, const SharedStore &store,
                               const PaymentOffer &offer, const Digest &scope)
{
    ClaimBinding wanted;
    wanted.resource = scope;
    StoreOrder order = bought_order(store, state.payer, scope, 0);
    for (const auto &option : offer.options()) {
        if (order.keys.size() < kMostBought) {
            bind_option(wanted, option);
            order.keys.push_back(store_key(bought_key(state.payer, wanted)));
        }
    }
    return ask(state, std::move(order));
}

// What the store says is known here, too.
void read_purchases(const RequestCtx &ctx, const LocationConf &conf,
                    const PaymentOffer &offer, const Digest &scope)
{
    const ReturningState &state = *ctx.returning_state;
    const StoreQuestion &question = *state.question;
    if (!question.is(StoreVerdict::done)) {
        return;
    }
    ClaimBinding wanted;
    wanted.resource = scope;
    std::size_t i = 0;
    for (const auto &option : offer.options()) {
        if (i >= question.bought_count) {
            break;
        }
        const StoreAnswer::Bought &one = question.bought[i++];
        bind_option(wanted, option);
        if (one.asked && one.left >= 1000) {
            remember_bought(conf.sign_in->zone, bought_key(state.payer, wanted),
                            *one.asked, ngx_time() + one.left / 1000,
                            ctx.r->connection->log);
        }
    }
}

// Money: the store notes nonces of those that have bought something, and no
// others: a stranger signs as often as it likes, for nothing.
SignInAnswer ask_for_nonce(RequestCtx &ctx, const LocationConf &conf,
                           ReturningState &state, const SharedStore &store)
{
    // By a stranger, which has bought since.
    if (knows_nonce(conf.sign_in->nonces, state.nonce)) {
        return refuse_sign_in(ctx, kSignInNonceUsed, "");
    }
    return ask(state, order_without_claim(store, StoreScript::nonce,
                                          state.nonce, nonce_expires()));
}

// The signature is good; `header` was read at the first step. What was bought
// is asked for first, unless this machine knows it.
SignInAnswer sign_in_by_store(RequestCtx &ctx, const LocationConf &conf,
                              std::string_view header,
                              const PaymentOffer &offer, const Digest &scope)
{
    SharedStore &store = *store_of(ctx);
    ReturningState &state = returning_state(ctx, conf);
    bool first = state.payer.empty();
    if (first) {
        SignInAnswer answer = SignInAnswer::none;
        Signer signer = signer_of(ctx, conf, header, offer, answer);
        if (signer.payer.empty()) {
            return answer;
        }
        state.payer = signer.payer;
        state.nonce = sha256(signer.nonce);
    } else if (!state.question->answered) {
        return SignInAnswer::asks_store;
    }
    bool asked_nonce =
        !first && state.question->order.script == StoreScript::nonce;
    if (asked_nonce && state.question->is(StoreVerdict::lost)) {
        return refuse_sign_in(ctx, kSignInNonceUsed, "");
    }
    if (asked_nonce && !state.question->is(StoreVerdict::done)) {
        return SignInAnswer::store_away;
    }
    if (!first && !asked_nonce) {
        read_purchases(ctx, conf, offer, scope);
    }
    auto purchase = find_purchase(conf, offer, scope, state.payer);
    if (purchase) {
        return asked_nonce ? admit(ctx, state.payer, *purchase)
                           : ask_for_nonce(ctx, conf, state, store);
    }
    if (first) {
        return ask_for_purchases(state, store, offer, scope);
    }
    // Money: it may have paid, and a 402 would have it pay again.
    if (!asked_nonce && !state.question->is(StoreVerdict::done)) {
        return SignInAnswer::store_away;
    }
    // This machine need not be as old as the nonce: others note them, too.
    SignInAnswer used = use_nonce_here(ctx, conf, state.nonce,
                                       nonce_moment(conf.sign_in->nonces),
                                       NonceOf::unknown_payer);
    return used == SignInAnswer::none ? not_paid(ctx) : used;
}

}  // namespace

SignInAnswer take_sign_in(RequestCtx &ctx, const LocationConf &conf)
{
    const ClientSecrets *shown = client_secrets(ctx.r);
    std::shared_ptr<const PaymentOffer> offer;
    if (shown == nullptr || shown->sign_ins.empty()
        || offer_now(ctx.r, conf, offer) != OfferState::made) {
        return SignInAnswer::none;
    }
    if (shown->sign_ins.size() > 1) {
        return refuse_sign_in(ctx, kSignInMalformed, "the header is repeated");
    }
    std::string_view header = view(shown->sign_ins[0]);
    std::optional<Digest> scope = Digest();
    if (!conf.sign_in->only) {
        scope = scope_of(ctx, conf, *conf.sign_in, "sign-in");
    }
    if (!scope) {
        return SignInAnswer::failed;
    }
    if (store_of(ctx)) {
        return sign_in_by_store(ctx, conf, header, *offer, *scope);
    }
    SignInAnswer answer = SignInAnswer::none;
    Signer signer = signer_of(ctx, conf, header, *offer, answer);
    if (signer.payer.empty()) {
        return answer;
    }
    auto purchase = find_purchase(conf, *offer, *scope, signer.payer);
    answer = use_nonce_here(ctx, conf, sha256(signer.nonce), signer.issued,
                            purchase ? NonceOf::payer : NonceOf::unknown_payer);
    if (answer != SignInAnswer::none) {
        return answer;
    }
    return purchase ? admit(ctx, signer.payer, *purchase) : not_paid(ctx);
}

std::string sign_in_member(RequestCtx &ctx)
{
    const LocationConf &conf = *ctx.quote.conf;
    SignInTerms terms;
    NonceSeed seed;
    if (!fill_place(ctx.r, conf, terms)
        || !fill_random(seed.data(), seed.size())) {
        return {};
    }
    std::vector<std::string> chains = chains_of(conf, *ctx.quote.offer);
    std::int64_t now = nonce_moment(conf.sign_in->nonces);
    fill_times(terms, now);
    terms.nonce = make_sign_in_nonce(now, seed, place_text(terms),
                                     conf.seal_keys->keys.front()->view());
    return "\"" + std::string(kSignInExtension)
           + "\":" + sign_in_declaration(terms, {chains.begin(), chains.end()});
}

void remember_purchase(RequestCtx &ctx)
{
    if (!is_proven_sale(ctx)) {
        return;
    }
    const LocationConf &conf = *ctx.quote.conf;
    auto scope = scope_of(ctx, conf, *conf.sign_in, "sign-in");
    std::string payer = proven_payer(ctx);
    if (!scope || payer.empty()) {
        return;
    }
    ClaimBinding bought = sold_binding(*ctx.payment);
    bought.resource = *scope;
    std::int64_t until = settled_at(ctx) + conf.sign_in->seconds;
    if (until <= ngx_time()) {
        return;
    }
    BoughtKey key = bought_key(payer, bought);
    remember_bought(conf.sign_in->zone, key, bought.asked, until,
                    ctx.r->connection->log);
    if (SharedStore *store = store_of(ctx)) {
        StoreOrder order = bought_order(*store, payer, store_key(key), until);
        order.asked = bought.asked;
        store->write_behind(std::move(order));
    }
}

}  // namespace x402
