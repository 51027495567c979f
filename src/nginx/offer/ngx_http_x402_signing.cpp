// SPDX-License-Identifier: Apache-2.0
#include "nginx/offer/ngx_http_x402_signing.hpp"

#include <algorithm>

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_extensions.hpp"

namespace x402 {

namespace {

std::string did_of_server(ngx_conf_t *cf)
{
    auto *server = static_cast<ngx_http_core_srv_conf_t *>(
        ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module));
    return did_of_host(view(server->server_name));
}

// One key may be written at several places. False: an error was printed.
bool publish(ngx_conf_t *cf, PublishedKeys &published, const Signing &signing)
{
    PublishedKey key = {signing.signer->kid, signing.signer->key.public_key()};
    for (const PublishedKey &other : published.keys) {
        if (other.id != key.id) {
            continue;
        }
        if (other.key.x != key.key.x) {
            log_conf(cf, NGX_LOG_EMERG,
                     "two keys are called \"" + key.id
                         + "\"; write another kid= for the new one",
                     signing.origin);
            return false;
        }
        return true;
    }
    published.keys.push_back(std::move(key));
    return true;
}

// False: an error was printed.
bool check_signing(ngx_conf_t *cf, const LocationConf &conf)
{
    const Signing &signing = *conf.signing;
    if (signing.signer->kid.empty()) {
        log_conf(cf, NGX_LOG_EMERG,
                 "x402_sign_offers cannot make a kid of this server's name; "
                 "write one such as kid=did:web:shop.example#key-1",
                 signing.origin);
        return false;
    }
    return publish(cf, *main_conf(cf)->published_keys, signing);
}

// Adds what is written beside the document. False: an error was printed.
bool complete_document(ngx_conf_t *cf, const PublishedKeys &published,
                       DidDocument &document)
{
    std::vector<PublishedKey> keys;
    for (const PublishedKey &key : published.keys) {
        if (did_part(key.id) == document.did) {
            keys.push_back(key);
        }
    }
    for (PublishedKey key : document.keys) {
        key.id = document.did + "#" + key.id;
        auto same = [&](const PublishedKey &other) {
            return other.id == key.id;
        };
        if (std::any_of(keys.begin(), keys.end(), same)) {
            log_conf(cf, NGX_LOG_EMERG,
                     "the key \"" + key.id
                         + "\" signs offers and is published with them; "
                           "remove it from x402_did_document",
                     document.origin);
            return false;
        }
        keys.push_back(std::move(key));
    }
    if (keys.empty()) {
        log_conf(cf, NGX_LOG_EMERG,
                 "no key belongs to \"" + document.did
                     + "\"; write x402_sign_offers with a kid that begins "
                       "with it",
                 document.origin);
        return false;
    }
    document.text = did_document(document.did, keys);
    return true;
}

}  // namespace

std::string measured_extensions(const LocationConf &conf, std::string_view url,
                                const PaymentOffer &offer)
{
    const OfferSigner *signer = signer_of(conf);
    return with_extension(
        extensions_json(conf), kOfferReceipt,
        signer ? signed_offers(*signer, url, offer, ngx_time()).value_or("")
               : "");
}

bool merge_signing(ngx_conf_t *cf, LocationConf &conf,
                   const LocationConf &outer)
{
    if (conf.did_document && conf.did_document->did.empty()) {
        conf.did_document->did = did_of_server(cf);
        if (conf.did_document->did.empty()) {
            log_conf(cf, NGX_LOG_EMERG,
                     "x402_did_document cannot make a DID of this server's "
                     "name; write one such as did:web:shop.example",
                     conf.did_document->origin);
            return false;
        }
    }
    if (conf.signing == nullptr) {
        conf.signing = outer.signing;
    }
    if (signer_of(conf) == nullptr) {
        return true;
    }
    std::string did;
    if (signer_of(conf)->kid.empty() && !(did = did_of_server(cf)).empty()) {
        auto *own = pool_new<Signing>(cf->pool, *conf.signing);
        if (own == nullptr) {
            return false;
        }
        own->signer->kid = did + "#key-1";
        conf.signing = own;
    }
    return !conf.has_price() || check_signing(cf, conf);
}

bool build_did_documents(ngx_conf_t *cf, const MainConf &mcf)
{
    if (mcf.published_keys == nullptr) {
        return true;
    }
    for (DidDocument *document : mcf.published_keys->documents) {
        if (!complete_document(cf, *mcf.published_keys, *document)) {
            return false;
        }
    }
    return true;
}

}  // namespace x402
