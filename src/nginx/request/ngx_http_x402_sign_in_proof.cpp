// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_sign_in_proof.hpp"

#include <algorithm>

#include "base/text_excerpt.hpp"
#include "base/utc_time.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/request/ngx_http_x402_quote.hpp"
#include "policy/account_signature.hpp"
#include "session/nonce_table.hpp"
#include "session/sign_in_nonce.hpp"

namespace x402 {

namespace {

// --- where payers sign in -------------------------------------------------

// The origin by which clients reach this server; empty: not by this host.
std::string site_of(ngx_http_request_t *r, const LocationConf &conf)
{
    if (!conf.sign_in->site.empty()) {
        return conf.sign_in->site;
    }
    std::string_view host = host_of(r);
    return is_own_name(*conf.server_names, host) ? own_origin(r, host)
                                                 : std::string();
}

// --- the proof ---------------------------------------------------------------

bool offers_chain(const LocationConf &conf, const PaymentOffer &offer,
                  const std::string &chain)
{
    std::vector<std::string> chains = chains_of(conf, offer);
    return std::find(chains.begin(), chains.end(), chain) != chains.end();
}

const RefusalWord *nonce_refusal(NonceFault fault)
{
    switch (fault) {
    case NonceFault::none:
        break;
    case NonceFault::forged:
        return &kSignInNonceInvalid;
    case NonceFault::not_yet:
        return &kSignInNotYetValid;
    case NonceFault::expired:
        return &kSignInExpired;
    }
    return nullptr;
}

// A word for what does not fit to the request; nullptr: all does. Completes
// `terms`; `issued` is when its nonce was (unix seconds).
const RefusalWord *mismatch(const SignInProof &proof, const LocationConf &conf,
                            const PaymentOffer &offer, SignInTerms &terms,
                            std::int64_t &issued)
{
    if (proof.terms.domain != terms.domain) {
        return &kSignInForAnotherDomain;
    }
    if (proof.terms.uri != terms.uri) {
        return &kSignInForAnotherResource;
    }
    const char *type = sign_in_type(proof.chain);
    if (type == nullptr || proof.type != type
        || !offers_chain(conf, offer, proof.chain)) {
        return &kSignInChainNotOffered;
    }
    std::vector<std::string_view> keys;
    for (const auto &key : conf.seal_keys->keys) {
        keys.push_back(key->view());
    }
    NonceFault fault = check_sign_in_nonce(proof.terms.nonce, place_text(terms),
                                           keys, ngx_time(), issued);
    if (fault != NonceFault::none) {
        return nonce_refusal(fault);
    }
    terms.nonce = proof.terms.nonce;
    fill_times(terms, issued);
    return proof.terms.issued_at == terms.issued_at
                   && proof.terms.expires_at == terms.expires_at
                   && proof.terms.statement == terms.statement
               ? nullptr
               : &kSignInMalformed;
}

}  // namespace

std::vector<std::string> chains_of(const LocationConf &conf,
                                   const PaymentOffer &offer)
{
    if (conf.sign_in->only) {
        return sign_in_chains(conf);
    }
    std::vector<std::string> chains;
    for (const auto &option : offer.options()) {
        const std::string &chain = option.requirements.network;
        if (sign_in_type(chain)
            && std::find(chains.begin(), chains.end(), chain) == chains.end()) {
            chains.push_back(chain);
        }
    }
    return chains;
}

bool is_account_of(const LocationConf &conf, std::string_view account)
{
    // No digit of base58 is a 0.
    std::string_view type = account.substr(0, 2) == "0x" ? "eip191" : "ed25519";
    std::vector<std::string> chains = sign_in_chains(conf);
    return std::any_of(chains.begin(), chains.end(),
                       [&](const std::string &chain) {
                           const char *its = sign_in_type(chain);
                           return its && type == its;
                       });
}

bool fill_place(ngx_http_request_t *r, const LocationConf &conf,
                SignInTerms &terms)
{
    std::string site = site_of(r, conf);
    if (site.empty()) {
        return false;
    }
    terms.domain = site.substr(site.find("://") + 3);
    terms.uri = bounded_url(site + copy(r->unparsed_uri));
    terms.statement = conf.sign_in->statement;
    return true;
}

std::string place_text(const SignInTerms &terms)
{
    return terms.domain + "\n" + terms.uri + "\n" + terms.statement;
}

void fill_times(SignInTerms &terms, std::int64_t issued)
{
    // Nonces of a table that has just begun are dated ahead (nonce_moment()),
    // and a message from the future is refused by those who check it.
    terms.issued_at = rfc3339_utc((issued - kRestartSeconds - 1) * 1000);
    terms.expires_at = rfc3339_utc((issued + kSignInSeconds) * 1000);
}

SignInAnswer refuse_sign_in(RequestCtx &ctx, const RefusalWord &word,
                            std::string_view why)
{
    log_refusal(word, ctx.r->connection->log,
                "sign-in refused: " + std::string(word.word)
                    + (why.empty() ? "" : ", " + std::string(why)));
    ctx.returning_fault = &word;
    return SignInAnswer::refused;
}

Signer signer_of(RequestCtx &ctx, const LocationConf &conf,
                 std::string_view header, const PaymentOffer &offer,
                 SignInAnswer &answer)
{
    auto proof = parse_sign_in(header);
    if (!proof) {
        answer = refuse_sign_in(ctx, kSignInMalformed, proof.problem().text);
        return {};
    }
    SignInTerms terms;
    if (!fill_place(ctx.r, conf, terms)) {
        answer = refuse_sign_in(ctx, kSignInForAnotherDomain, "");
        return {};
    }
    std::int64_t issued = 0;
    if (const RefusalWord *word =
            mismatch(proof.value(), conf, offer, terms, issued)) {
        answer = refuse_sign_in(ctx, *word, "");
        return {};
    }
    auto signer = verify_account(
        proof->chain, proof->address,
        sign_in_text(terms, proof->address, proof->chain), proof->signature);
    if (!signer) {
        answer =
            refuse_sign_in(ctx, kSignInSignatureInvalid, signer.problem().text);
        return {};
    }
    return {std::move(signer.value()), terms.nonce, issued};
}

}  // namespace x402
