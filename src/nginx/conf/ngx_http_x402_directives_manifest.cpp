// SPDX-License-Identifier: Apache-2.0
// The setter of x402_manifest.
#include "nginx/conf/ngx_http_x402_config_file.hpp"
#include "nginx/conf/ngx_http_x402_manifest_list.hpp"
#include "nginx/core/ngx_http_x402_directive.hpp"

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

}  // namespace

}  // namespace x402

using namespace x402;

char *ngx_http_x402_set_manifest(ngx_conf_t *cf, ngx_command_t *, void *conf)
{
    return config_guarded(cf, set_manifest, conf);
}
