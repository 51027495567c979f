// SPDX-License-Identifier: Apache-2.0
// x402_store as configured.
#ifndef NGX_HTTP_X402_STORE_CONF_HPP
#define NGX_HTTP_X402_STORE_CONF_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "base/secret_memory.hpp"
#include "nginx/call/ngx_http_x402_http_client_tls.hpp"
#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "store/store_url.hpp"

namespace x402 {

// What is proven to servers of one kind. An empty text: nothing.
struct StoreLogin {
    std::string user;
    SecretText password;
};

struct StoreConf {
    StoreUrl url;
    StoreLogin login;           // its user is that of the url
    StoreLogin sentinel_login;  // of the sentinels alone
    std::string prefix = "x402";
    ngx_msec_t timeout = 200;
    std::int64_t lease = 90 * 1000;  // ms: then others take a claim over
    // That have to have what a payment waits for. 0: the server's own word is
    // enough.
    unsigned replicas = 0;
    std::string trusted_certificate;  // path; empty: the system's
    TlsContext *tls = nullptr;        // of rediss:// and sentinels://
    ngx_resolver_t *resolver = nullptr;
    // Of each of url.places. Looked up before workers start; empty: workers do.
    std::vector<std::vector<std::string>> addresses;
    ConfOrigin origin{};
};

}  // namespace x402

#endif
