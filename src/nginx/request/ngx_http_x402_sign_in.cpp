// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_sign_in.hpp"

#include <algorithm>

#include "base/token_signature.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_returning_rules.hpp"
#include "nginx/request/ngx_http_x402_price_grace.hpp"
#include "nginx/request/ngx_http_x402_quote.hpp"
#include "nginx/request/ngx_http_x402_returning_client.hpp"
#include "nginx/request/ngx_http_x402_scope.hpp"
#include "nginx/store/ngx_http_x402_bought_zone.hpp"
#include "nginx/store/ngx_http_x402_small_zones.hpp"
#include "protocol/sign_in_message.hpp"
#include "session/sign_in_nonce.hpp"

namespace x402 {

namespace {

// Until when a copy of a signature of this moment could be good.
std::int64_t nonce_expires()
{
    return ngx_time() + kSignInSeconds + kSignInClockSeconds;
}

// Money: used once, whatever it opens now: the payer may buy in a moment.
// SignInAnswer::none: it was not used before.
SignInAnswer use_nonce_here(RequestCtx &ctx, const LocationConf &conf,
                            const Signer &signer)
{
    switch (use_nonce(conf.sign_in->nonces, sha256(signer.nonce), signer.issued,
                      nonce_expires())) {
    case NonceUse::first:
        break;
    case NonceUse::again:
        return refuse_sign_in(ctx, "sign_in_nonce_used", "");
    case NonceUse::no_room:
        return SignInAnswer::busy;
    }
    return SignInAnswer::none;
}

// --- what was bought ---------------------------------------------------------

// False: nothing that pays for this request.
bool find_purchase(const LocationConf &conf, const PaymentOffer &offer,
                   const std::string &payer, ClaimBinding &bought,
                   std::int64_t &until)
{
    for (const auto &option : offer.options()) {
        ClaimBinding wanted = bought;
        bind_option(wanted, option);
        bought.terms = wanted.terms;
        auto asked =
            find_bought(conf.sign_in->zone, bought_key(payer, bought), until);
        if (asked) {
            bought.asked = *asked;
            if (covers(bought, wanted)) {
                return true;
            }
        }
    }
    return false;
}

bool make_signed_in(RequestCtx &ctx, const std::string &payer,
                    const ClaimBinding &bought, std::int64_t until)
{
    ReturningClient *client = make_returning(ctx, payer);
    if (client == nullptr) {
        return false;
    }
    client->kind = ReturningKind::signed_in;
    client->bought = bought;
    client->expires = until;
    ctx.returning = client;
    return true;
}

SignInAnswer not_paid(RequestCtx &ctx)
{
    ctx.returning_fault = "sign_in_not_paid";
    return SignInAnswer::none;
}

// What this machine knows of the payer. SignInAnswer::none: nothing that pays.
SignInAnswer admit_by_zone(RequestCtx &ctx, const LocationConf &conf,
                           const PaymentOffer &offer, const Digest &scope,
                           const std::string &payer)
{
    ClaimBinding bought;
    if (conf.sign_in->only) {
        return make_signed_in(ctx, payer, bought, 0) ? SignInAnswer::admitted
                                                     : SignInAnswer::failed;
    }
    bought.resource = scope;
    std::int64_t until = 0;
    if (!find_purchase(conf, offer, payer, bought, until)) {
        return SignInAnswer::none;
    }
    return make_signed_in(ctx, payer, bought, until) ? SignInAnswer::admitted
                                                     : SignInAnswer::failed;
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

// What the store says is known here, too. A store that does not answer knows
// as much as this machine.
SignInAnswer read_purchases(RequestCtx &ctx, const LocationConf &conf,
                            const PaymentOffer &offer, const Digest &scope)
{
    const ReturningState &state = *ctx.returning_state;
    const StoreQuestion &question = *state.question;
    if (question.is(StoreVerdict::done)) {
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
                remember_bought(conf.sign_in->zone,
                                bought_key(state.payer, wanted), *one.asked,
                                ngx_time() + one.left / 1000,
                                ctx.r->connection->log);
            }
        }
    }
    SignInAnswer known = admit_by_zone(ctx, conf, offer, scope, state.payer);
    return known == SignInAnswer::none ? not_paid(ctx) : known;
}

// The signature is good; `header` was read at the first step.
SignInAnswer sign_in_by_store(RequestCtx &ctx, const LocationConf &conf,
                              std::string_view header,
                              const PaymentOffer &offer, const Digest &scope)
{
    SharedStore &store = *store_of(ctx);
    ReturningState &state = returning_state(ctx, conf);
    if (state.payer.empty()) {
        SignInAnswer answer = SignInAnswer::none;
        Signer signer = signer_of(ctx, conf, header, offer, answer);
        if (signer.payer.empty()) {
            return answer;
        }
        state.payer = signer.payer;
        return ask(state,
                   order_without_claim(store, StoreScript::nonce,
                                       sha256(signer.nonce), nonce_expires()));
    }
    const StoreQuestion &question = *state.question;
    if (!question.answered) {
        return SignInAnswer::asks_store;
    }
    if (question.order.script == StoreScript::bought) {
        return read_purchases(ctx, conf, offer, scope);
    }
    if (question.is(StoreVerdict::lost)) {
        return refuse_sign_in(ctx, "sign_in_nonce_used", "");
    }
    if (!question.is(StoreVerdict::done)) {
        return SignInAnswer::store_away;
    }
    SignInAnswer known = admit_by_zone(ctx, conf, offer, scope, state.payer);
    return known == SignInAnswer::none
               ? ask_for_purchases(state, store, offer, scope)
               : known;
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
        return refuse_sign_in(ctx, "sign_in_malformed",
                              "the header is repeated");
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
    if (!signer.payer.empty()) {
        answer = use_nonce_here(ctx, conf, signer);
    }
    if (signer.payer.empty() || answer != SignInAnswer::none) {
        return answer;
    }
    answer = admit_by_zone(ctx, conf, *offer, *scope, signer.payer);
    return answer == SignInAnswer::none ? not_paid(ctx) : answer;
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
    std::int64_t now = ngx_time();
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
