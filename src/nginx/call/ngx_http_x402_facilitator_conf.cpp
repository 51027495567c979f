// SPDX-License-Identifier: Apache-2.0
#include "nginx/call/ngx_http_x402_facilitator_conf.hpp"

#include <algorithm>
#include <cstring>

#include "base/sha256_digest.hpp"
#include "nginx/call/curl/ngx_http_x402_curl.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

// The headers that are sent: an empty one only hides an inherited one.
RequestHeaders headers_of(const LocationConf &conf)
{
    RequestHeaders sent;
    if (conf.facilitator_headers == nullptr) {
        return sent;
    }
    for (const RequestHeader &header : *conf.facilitator_headers) {
        if (!header.value.empty()) {
            sent.push_back(header);
        }
    }
    return sent;
}

bool same_auth(const FacilitatorAuth *one, const FacilitatorAuth *other)
{
    return one == other || (one && other && one->is(*other));
}

bool same_proxy(const FacilitatorProxy *one, const FacilitatorProxy *other)
{
    return one == other || (one && other && one->is(*other));
}

bool has_authorization(const RequestHeaders &headers)
{
    for (const RequestHeader &header : headers) {
        if (header.is("Authorization")) {
            return true;
        }
    }
    return false;
}

std::uint64_t number_of(const std::string &text)
{
    std::uint64_t number;
    Digest digest = sha256(text);
    std::memcpy(&number, digest.data(), sizeof(number));
    return number;
}

// From words that mean the same after a reload, so that the state is kept.
std::uint64_t document_id_of(const FacilitatorConf &conf)
{
    std::string words = conf.url.base() + '\n' + conf.trusted_certificate + '\n'
                        + (conf.ssl_verify ? "verified" : "unverified") + '\n';
    for (const RequestHeader &header : conf.headers) {
        if (header.goes_with("supported")) {
            words += header.name + ": " + header.value + '\n';
        }
    }
    if (conf.auth) {
        words += std::to_string(static_cast<int>(conf.auth->key.kind)) + ' '
                 + conf.auth->path;
    }
    std::uint64_t number = number_of(words);
    return number ? number : 1;
}

// Shared by all with the same trust. nullptr: an error was printed.
TlsContext *trust_of(ngx_conf_t *cf, const FacilitatorTerms &terms)
{
    for (const FacilitatorConf *known : main_conf(cf)->facilitators) {
        if (known->tls
            && known->trusted_certificate == terms.trusted_certificate) {
            return known->tls;
        }
    }
    auto *context = pool_new<TlsContext>(cf->pool);
    if (context == nullptr) {
        return nullptr;
    }
    if (!context->prepare(terms.trusted_certificate, cf->log)) {
        log_conf(cf, NGX_LOG_EMERG,
                 "no certificates can be read from \""
                     + terms.trusted_certificate
                     + "\"; write the path of a PEM file into "
                       "x402_facilitator_ssl_trusted_certificate",
                 terms.origin);
        return nullptr;
    }
    return context;
}

// For an https facilitator; none where libcurl makes the call. False: an error
// was printed.
bool choose_tls(ngx_conf_t *cf, const FacilitatorTerms &terms, TlsContext *&tls)
{
    if (!kHasTls && !kHasCurl) {
        log_conf(cf, NGX_LOG_EMERG,
                 "facilitator \"" + terms.url
                     + "\" needs TLS, which neither this nginx nor this module "
                       "has; build nginx with --with-http_ssl_module, or the "
                       "module without X402_CURL=no",
                 terms.origin);
        return false;
    }
    if (!kHasTls || terms.proxy) {
        return true;
    }
    tls = trust_of(cf, terms);
    return tls != nullptr;
}

// nginx: without a `resolver` directive core makes one without servers.
ngx_resolver_t *resolver_of(ngx_conf_t *cf)
{
    auto *clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    return clcf->resolver && clcf->resolver->connections.nelts ? clcf->resolver
                                                               : nullptr;
}

// nullptr: no memory, or an error was printed.
FacilitatorConf *make_conf(ngx_conf_t *cf, const FacilitatorUrl &url,
                           FacilitatorTerms terms, ngx_resolver_t *resolver)
{
    TlsContext *tls = nullptr;
    if (url.secure && !choose_tls(cf, terms, tls)) {
        return nullptr;
    }
    auto *made = pool_new<FacilitatorConf>(cf->pool);
    if (made == nullptr) {
        return nullptr;
    }
    made->url = url;
    made->trusted_certificate = std::move(terms.trusted_certificate);
    made->ssl_verify = terms.ssl_verify;
    made->tls = tls;
    made->resolver = resolver;
    made->headers = std::move(terms.headers);
    made->auth = terms.auth;
    made->proxy = terms.proxy;
    made->health = terms.health;
    made->id = number_of(url.base());
    made->document_id = document_id_of(*made);
    return made;
}

}  // namespace

void FacilitatorConf::need(std::string scheme, std::string network,
                           std::int64_t version)
{
    KindNeed kind{version, std::move(scheme), std::move(network)};
    if (std::find(needs.begin(), needs.end(), kind) == needs.end()) {
        needs.push_back(std::move(kind));
    }
}

std::string validate_credentials(const LocationConf &conf)
{
    bool twice = conf.facilitator_auth && has_authorization(headers_of(conf));
    return twice ? "x402_facilitator_auth and x402_facilitator_header both "
                   "write the header Authorization here; keep one of them"
                 : "";
}

std::string warning_of_exposure(const FacilitatorConf &conf)
{
    bool secret = conf.auth || has_authorization(conf.headers);
    if (!secret || conf.url.secure || conf.url.host_is_loopback()) {
        return {};
    }
    return "credentials for facilitator \"" + conf.url.base()
           + "\" go over the network unencrypted; write https:// if it can be "
             "had";
}

FacilitatorTerms::FacilitatorTerms(const LocationConf &conf,
                                   std::string base_url)
    : url(std::move(base_url)),
      trusted_certificate(copy(conf.trusted_certificate)),
      ssl_verify(conf.ssl_verify != 0),
      proxy(conf.facilitator_proxy.value_or(nullptr)),
      origin(conf.facilitator_origin)
{
}

FacilitatorTerms FacilitatorTerms::with_credentials(const LocationConf &conf,
                                                    std::string base_url)
{
    FacilitatorTerms terms(conf, std::move(base_url));
    terms.headers = headers_of(conf);
    terms.auth = conf.facilitator_auth;
    return terms;
}

FacilitatorConf *find_or_add_facilitator(ngx_conf_t *cf, FacilitatorTerms terms)
{
    MainConf *mcf = main_conf(cf);
    ngx_resolver_t *resolver = resolver_of(cf);
    auto url = parse_facilitator_url(terms.url);
    if (!url) {
        return nullptr;
    }
    std::string base = url->base();
    for (FacilitatorConf *known : mcf->facilitators) {
        if (known->url.base() == base && known->resolver == resolver
            && known->ssl_verify == terms.ssl_verify
            && known->trusted_certificate == terms.trusted_certificate
            && known->headers == terms.headers && known->health == terms.health
            && same_auth(known->auth, terms.auth)
            && same_proxy(known->proxy, terms.proxy)) {
            return known;
        }
    }
    FacilitatorConf *made =
        make_conf(cf, url.value(), std::move(terms), resolver);
    if (made) {
        made->index = mcf->facilitators.size();
        mcf->facilitators.push_back(made);
    }
    return made;
}

FacilitatorConf *make_receiver(ngx_conf_t *cf, FacilitatorTerms terms)
{
    auto url = parse_facilitator_url(terms.url);
    if (!url) {
        return nullptr;
    }
    std::string written = terms.url;
    FacilitatorConf *made =
        make_conf(cf, url.value(), std::move(terms), resolver_of(cf));
    if (made) {
        made->exact_url = std::move(written);
    }
    return made;
}

}  // namespace x402
