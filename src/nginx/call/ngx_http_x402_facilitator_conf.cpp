#include "nginx/call/ngx_http_x402_facilitator_conf.hpp"

#include <algorithm>
#include <cstring>

#include "base/sha256_digest.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

FacilitatorConf *facilitator_at(ngx_http_x402_main_conf_t *mcf,
                                std::size_t index)
{
    return static_cast<FacilitatorConf **>(mcf->facilitators.elts)[index];
}

namespace {

// Those that are sent at all: an empty one only hides what would be inherited.
RequestHeaders headers_of(const ngx_http_x402_loc_conf_t &conf)
{
    RequestHeaders sent;
    if (conf.facilitator_headers == nullptr) {
        return sent;
    }
    for (const RequestHeader &header :
         *static_cast<const RequestHeaders *>(conf.facilitator_headers)) {
        if (!header.value.empty()) {
            sent.push_back(header);
        }
    }
    return sent;
}

const FacilitatorAuth *auth_of(const ngx_http_x402_loc_conf_t &conf)
{
    return static_cast<const FacilitatorAuth *>(conf.facilitator_auth);
}

bool same_auth(const FacilitatorAuth *one, const FacilitatorAuth *other)
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

// Of words that mean the same after a reload, so that what is known stays.
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

// Shared by all who trust the same. nullptr: an error was printed.
TlsContext *trust_of(ngx_conf_t *cf, const ngx_http_x402_loc_conf_t &conf)
{
    ngx_http_x402_main_conf_t *mcf = main_conf(cf);
    std::string path = copy(conf.trusted_certificate);
    for (std::size_t i = 0; i < mcf->facilitators.nelts; i++) {
        const FacilitatorConf *known = facilitator_at(mcf, i);
        if (known->tls && known->trusted_certificate == path) {
            return known->tls;
        }
    }
    auto *context = pool_new<TlsContext>(cf->pool);
    if (context == nullptr) {
        return nullptr;
    }
    if (!context->prepare(path, cf->log)) {
        log_conf(cf, NGX_LOG_EMERG,
                 "no certificates can be read from \"" + path
                     + "\"; write the path of a PEM file into "
                       "x402_facilitator_ssl_trusted_certificate",
                 conf.facilitator_origin);
        return nullptr;
    }
    return context;
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

std::string validate_credentials(const ngx_http_x402_loc_conf_t &conf)
{
    bool twice = auth_of(conf) && has_authorization(headers_of(conf));
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

FacilitatorConf *find_or_add_facilitator(ngx_conf_t *cf,
                                         const ngx_http_x402_loc_conf_t &conf,
                                         const HealthTerms &health)
{
    ngx_http_x402_main_conf_t *mcf = main_conf(cf);
    auto *clcf = static_cast<ngx_http_core_loc_conf_t *>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    // nginx: without a `resolver` directive core makes one without servers.
    ngx_resolver_t *resolver =
        clcf->resolver && clcf->resolver->connections.nelts ? clcf->resolver
                                                            : nullptr;

    auto url = parse_facilitator_url(view(conf.facilitator_url));
    if (!url) {
        return nullptr;
    }
    std::string base = url->base();
    RequestHeaders headers = headers_of(conf);
    for (std::size_t i = 0; i < mcf->facilitators.nelts; i++) {
        FacilitatorConf *known = facilitator_at(mcf, i);
        if (known->url.base() == base && known->resolver == resolver
            && known->ssl_verify == (conf.ssl_verify == 1)
            && known->trusted_certificate == view(conf.trusted_certificate)
            && known->headers == headers && known->health == health
            && same_auth(known->auth, auth_of(conf))) {
            return known;
        }
    }

    TlsContext *tls = nullptr;
    if (kHasTls && url->secure && (tls = trust_of(cf, conf)) == nullptr) {
        return nullptr;
    }
    auto *made = pool_new<FacilitatorConf>(cf->pool);
    auto **slot =
        static_cast<FacilitatorConf **>(ngx_array_push(&mcf->facilitators));
    if (made == nullptr || slot == nullptr) {
        return nullptr;
    }
    made->url = url.value();
    made->trusted_certificate = copy(conf.trusted_certificate);
    made->ssl_verify = conf.ssl_verify == 1;
    made->tls = tls;
    made->resolver = resolver;
    made->headers = std::move(headers);
    made->auth = auth_of(conf);
    made->health = health;
    made->index = mcf->facilitators.nelts - 1;
    made->id = number_of(base);
    made->document_id = document_id_of(*made);
    *slot = made;
    return made;
}

}  // namespace x402
