// SPDX-License-Identifier: Apache-2.0
// A facilitator as configured: one for each distinct URL, trust, resolver and
// credentials, shared by all locations that name it.
#ifndef NGX_HTTP_X402_FACILITATOR_CONF_HPP
#define NGX_HTTP_X402_FACILITATOR_CONF_HPP

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/token_signature.hpp"
#include "facilitator/auth_key.hpp"
#include "facilitator/facilitator_health.hpp"
#include "facilitator/facilitator_url.hpp"
#include "facilitator/proxy_url.hpp"
#include "facilitator/request_header.hpp"
#include "facilitator/supported_kinds.hpp"
#include "nginx/call/ngx_http_x402_http_client_tls.hpp"
#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// x402_facilitator_proxy as configured; only libcurl can use one.
struct FacilitatorProxy {
    ProxyUrl url;
    std::string user;           // empty: no credentials are sent
    std::string password_path;  // absolute
    // What was in that file when the configuration was read.
    std::shared_ptr<const SecretText> password;

    bool is(const FacilitatorProxy &other) const
    {
        return url.text() == other.url.text() && user == other.user
               && password_path == other.password_path;
    }
};

// x402_facilitator_auth: what was in the file when the configuration was read.
struct FacilitatorAuth {
    std::string path;
    AuthKey key;

    bool is(const FacilitatorAuth &other) const
    {
        return key.kind == other.key.kind && path == other.path;
    }
};

struct FacilitatorConf {
    FacilitatorUrl url;
    std::string exact_url;  // of a webhook: as it is written; else empty
    std::string trusted_certificate;  // path; empty: the system's
    bool ssl_verify = true;
    TlsContext *tls = nullptr;           // nullptr: http, or nginx without TLS
    ngx_resolver_t *resolver = nullptr;  // of nginx; nullptr: none configured
    RequestHeaders headers;
    const FacilitatorAuth *auth = nullptr;    // nullptr: none
    const FacilitatorProxy *proxy = nullptr;  // nullptr: none
    HealthTerms health;                       // when it counts as failed
    std::uint64_t id = 0;  // what claims remember: from the base URL alone
    // The key of its answer about what it supports: facilitators whose requests
    // differ may answer differently.
    std::uint64_t document_id = 0;
    std::vector<KindNeed> needs;  // of the locations; no duplicates
    // Some payment option is not written out in full, so that /supported is
    // requested.
    bool wanted = false;
    std::size_t index = 0;  // in MainConf::facilitators
    // Looked up by the master before workers start; empty when that failed.
    std::vector<std::string> addresses;

    // Every call carries a secret. Any header of the operator may be one, so
    // that each counts as one.
    bool has_credentials() const { return auth || !headers.empty(); }

    // The host of the connection, whose addresses have to be known.
    const std::string &host_to_reach() const
    {
        return proxy ? proxy->url.host : url.host;
    }
    bool reaches_address() const
    {
        return proxy ? proxy->url.host_is_address : url.host_is_address();
    }
    // For messages.
    const char *host_use() const
    {
        return exact_url.empty() ? "facilitator host" : "x402_webhook's host";
    }
    // Only libcurl can make the call.
    bool needs_curl() const { return proxy || (url.secure && !kHasTls); }

    // While the configuration is read: a location sells by this kind.
    void need(std::string scheme, std::string network,
              std::int64_t version = 2);
};

// What tells facilitators apart, as a location writes it.
struct FacilitatorTerms {
    // The location's trust and proxy, and none of its credentials.
    FacilitatorTerms(const LocationConf &conf, std::string base_url);
    // With its credentials: the headers that are sent, and the key.
    static FacilitatorTerms with_credentials(const LocationConf &conf,
                                             std::string base_url);

    std::string url;
    std::string trusted_certificate;
    bool ssl_verify;
    const FacilitatorProxy *proxy;  // nullptr: none
    RequestHeaders headers;
    const FacilitatorAuth *auth = nullptr;
    HealthTerms health;
    ConfOrigin origin;  // of x402_facilitator
};

// nullptr: no memory, or an error was printed. Lifetime: the configuration
// cycle.
FacilitatorConf *find_or_add_facilitator(ngx_conf_t *cf,
                                         FacilitatorTerms terms);

// A webhook: called like a facilitator, but not one of them. As above.
FacilitatorConf *make_receiver(ngx_conf_t *cf, FacilitatorTerms terms);

// Why the settings for credentials contradict each other; empty: they do not.
std::string validate_credentials(const LocationConf &conf);

// Says that a secret would go to another machine unencrypted; empty: it would
// not.
std::string warning_of_exposure(const FacilitatorConf &conf);

}  // namespace x402

#endif
