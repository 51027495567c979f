// SPDX-License-Identifier: Apache-2.0
// What a server publishes and signs: x402_manifest, x402_sign_offers and
// x402_did_document.
#include "nginx/conf/ngx_http_x402_config_file.hpp"
#include "nginx/conf/ngx_http_x402_directive_words.hpp"
#include "nginx/conf/ngx_http_x402_manifest_list.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"
#include "nginx/offer/ngx_http_x402_signing.hpp"
#include "nginx/reply/ngx_http_x402_document.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMaxBaseFile = 1024 * 1024;
constexpr JsonLimits kBaseLimits = {kMaxBaseFile, 64, 65536, 262144};

// False: an error was printed.
bool read_base(ngx_conf_t *cf, ngx_str_t word, Manifest &manifest)
{
    constexpr std::string_view kBase = "base=";
    if (view(word).substr(0, kBase.size()) != kBase
        || word.len == kBase.size()) {
        conf_error(cf, "\"" + copy(word)
                           + "\" is unknown; write base=file, with an OpenAPI "
                             "document in JSON");
        return false;
    }
    if (manifest.format != ManifestFormat::openapi) {
        conf_error(cf, "base= belongs to \"x402_manifest openapi\"");
        return false;
    }
    ngx_str_t path = {word.len - kBase.size(), word.data + kBase.size()};
    std::string text;
    if (read_config_file(cf, path, kMaxBaseFile, text) != NGX_CONF_OK) {
        return false;
    }
    auto document = JsonDocument::parse(text, kBaseLimits);
    if (!document || !document->root().is_object()) {
        config_file_error(
            cf, path, 0,
            "is not an OpenAPI document in JSON"
                + (document ? std::string() : ": " + document.problem().text));
        return false;
    }
    manifest.base = std::move(document.value());
    return true;
}

char *set_manifest(ngx_conf_t *cf, void *conf)
{
    LocationConf *lcf = location_conf(conf);
    MainConf *mcf = main_conf(cf);
    if (lcf->manifest != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    if (lcf->status != StatusFormat::none || lcf->did_document != nullptr) {
        return conf_error(cf,
                          "x402_status, x402_manifest and x402_did_document "
                          "each need a location of their own");
    }
    std::string_view word = view(arguments(cf)[1]);
    if (word == "off" && cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }
    if (word != "openapi" && word != "x402") {
        return conf_error(cf, "invalid value \"" + std::string(word)
                                  + "\" in \"x402_manifest\"; write openapi, "
                                    "x402 or off");
    }
    auto *manifest = pool_new<Manifest>(cf->pool);
    if (mcf->sales == nullptr) {
        mcf->sales = pool_new<SaleList>(cf->pool);
    }
    if (manifest == nullptr || mcf->sales == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    manifest->format =
        word == "openapi" ? ManifestFormat::openapi : ManifestFormat::x402;
    if (cf->args->nelts > 2 && !read_base(cf, arguments(cf)[2], *manifest)) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    ConfOrigin origin{};
    record_origin(cf, origin);
    mcf->sales->manifests.push_back(manifest);
    mcf->sales->origins.push_back(origin);
    lcf->manifest = manifest;
    set_page(cf, *lcf, on_manifest);
    return NGX_CONF_OK;
}

constexpr std::size_t kLongestKeyFile = 16 * 1024;

PublishedKeys *published_keys(ngx_conf_t *cf)
{
    MainConf *mcf = main_conf(cf);
    if (mcf->published_keys == nullptr) {
        mcf->published_keys = pool_new<PublishedKeys>(cf->pool);
    }
    return mcf->published_keys;
}

ngx_str_t path_of(ngx_conf_t *cf, std::string_view text)
{
    return pool_copy(cf->pool, text);
}

// nullopt: an error was printed.
std::optional<SigningKey> read_signing_key(ngx_conf_t *cf,
                                           std::string_view name)
{
    ngx_str_t path = path_of(cf, name);
    SecretText pem;
    if (read_secret_file(cf, path, kLongestKeyFile, pem,
                         "make one with \"openssl genpkey -algorithm "
                         "ed25519\", mode 0600, or correct the path")
        != NGX_CONF_OK) {
        return std::nullopt;
    }
    auto key = SigningKey::from_pem(pem.view());
    if (!key) {
        config_file_error(cf, path, 0,
                          "cannot sign: " + key.problem().text
                              + "; make one with \"openssl genpkey -algorithm "
                                "ed25519\"");
        return std::nullopt;
    }
    return key.value();
}

char *set_sign_offers(ngx_conf_t *cf, void *conf)
{
    LocationConf *lcf = location_conf(conf);
    if (lcf->signing != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    auto *signing = pool_new<Signing>(cf->pool);
    if (signing == nullptr || published_keys(cf) == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    record_origin(cf, signing->origin);
    lcf->signing = signing;
    if (cf->args->nelts == 2 && view(arguments(cf)[1]) == "off") {
        return NGX_CONF_OK;
    }
    std::string_view file;
    std::string_view kid;
    std::string_view transaction = "on";
    if (!read_words(cf, 1,
                    {{"key=", kept_in(file)},
                     {"kid=", kept_in(kid)},
                     {"transaction=", kept_in(transaction)}},
                    "key=file, kid=did:web:shop.example#key-1, "
                    "transaction=off, or off alone")) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    if (file.empty()) {
        return conf_error(cf, "x402_sign_offers needs key=file, a PEM file "
                              "with an Ed25519 or P-256 private key");
    }
    if (!kid.empty() && !is_did_url(kid)) {
        return conf_error(cf, "kid \"" + std::string(kid)
                                  + "\" is not a DID with a fragment; write "
                                    "one such as did:web:shop.example#key-1");
    }
    if (transaction != "on" && transaction != "off") {
        return conf_error(cf, "transaction= is on or off");
    }
    auto key = read_signing_key(cf, file);
    if (!key) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    signing->signer = OfferSigner{*key, std::string(kid), transaction == "on"};
    return NGX_CONF_OK;
}

// A word fragment=file. False: an error was printed.
bool read_published(ngx_conf_t *cf, std::string_view word,
                    DidDocument &document)
{
    std::size_t equals = word.find('=');
    std::string name(word.substr(0, equals));
    if (equals == std::string_view::npos || !is_did_url("did:web:x#" + name)) {
        conf_error(cf, "\"" + std::string(word)
                           + "\" is neither a DID such as "
                             "did:web:shop.example nor name=file, such as "
                             "key-1=old.pem");
        return false;
    }
    ngx_str_t path = path_of(cf, word.substr(equals + 1));
    SecretText pem;  // it may be a private key
    if (read_config_file(cf, path, kLongestKeyFile, pem) != NGX_CONF_OK) {
        return false;
    }
    auto key = read_public_pem(pem.view());
    if (!key) {
        config_file_error(cf, path, 0,
                          "cannot be published: " + key.problem().text);
        return false;
    }
    document.keys.push_back({std::move(name), std::move(key.value())});
    return true;
}

char *set_did_document(ngx_conf_t *cf, void *conf)
{
    LocationConf *lcf = location_conf(conf);
    if (lcf->did_document != nullptr) {
        return const_cast<char *>("is duplicate");
    }
    if (lcf->status != StatusFormat::none || lcf->manifest != nullptr) {
        return conf_error(cf,
                          "x402_status, x402_manifest and x402_did_document "
                          "each need a location of their own");
    }
    auto *document = pool_new<DidDocument>(cf->pool);
    if (document == nullptr || published_keys(cf) == nullptr) {
        return static_cast<char *>(NGX_CONF_ERROR);
    }
    record_origin(cf, document->origin);
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) {
        std::string_view word = view(arguments(cf)[i]);
        if (i == 1 && is_did(word)) {
            document->did = word;
        } else if (!read_published(cf, word, *document)) {
            return static_cast<char *>(NGX_CONF_ERROR);
        }
    }
    published_keys(cf)->documents.push_back(document);
    lcf->did_document = document;
    set_page(cf, *lcf, on_did_document);
    return NGX_CONF_OK;
}

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_manifest(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_manifest, conf);
}

char *ngx_http_x402_set_sign_offers(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_sign_offers, conf);
}

char *ngx_http_x402_set_did_document(ngx_conf_t *cf, ngx_command_t *,
                                     void *conf)
{
    return config_guarded(cf, set_did_document, conf);
}
