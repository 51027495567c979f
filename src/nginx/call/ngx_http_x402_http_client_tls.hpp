// SPDX-License-Identifier: Apache-2.0
// TLS under the http client and the connection to a store, by nginx's own
// OpenSSL glue: what is trusted, the name that the peer has to prove, and the
// handshake. The one place of these that knows OpenSSL. An nginx without TLS
// (kHasTls) leaves https to curl.
#ifndef NGX_HTTP_X402_HTTP_CLIENT_TLS_HPP
#define NGX_HTTP_X402_HTTP_CLIENT_TLS_HPP

#include <string>

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

#if (NGX_SSL)
constexpr bool kHasTls = true;
#else
constexpr bool kHasTls = false;
#endif

// What is trusted, for all connections of one facilitator.
class TlsContext {
public:
    TlsContext() = default;
    ~TlsContext();
    TlsContext(const TlsContext &) = delete;
    TlsContext &operator=(const TlsContext &) = delete;

    // Path of a PEM file; empty: what the system trusts. `http`: HTTP/1.1 is
    // agreed on. False: it cannot be read, or memory ran out.
    bool prepare(const std::string &trusted_certificate, ngx_log_t *log,
                 bool http = true);

    // "OpenSSL 3.0.15": the library that runs. Empty where nginx has no TLS.
    static std::string version();

private:
    friend class TlsPeer;
#if (NGX_SSL)
    ngx_ssl_t ssl_{};
#endif
};

// One host to speak TLS with. Remembers a session, so that the next connection
// need not begin from nothing.
class TlsPeer {
public:
    using Handler = void (*)(ngx_connection_t *c);

    // `name`: of the host, or its literal address.
    TlsPeer(TlsContext &context, std::string name, bool is_address,
            bool verify);
    ~TlsPeer();
    TlsPeer(const TlsPeer &) = delete;
    TlsPeer &operator=(const TlsPeer &) = delete;

    // On a connected `c`: NGX_OK, NGX_ERROR, or NGX_AGAIN, after which
    // `handler` is called once. Call validate() before anything is sent.
    ngx_int_t start_handshake(ngx_connection_t *c, Handler handler);
    // Why nothing may be sent to the peer; empty: its certificate is accepted.
    std::string validate(ngx_connection_t *c) const;
    // After an answer: the next connection may resume the session of this one.
    void remember(ngx_connection_t *c);

private:
    TlsContext &context_;
    std::string name_;
    bool is_address_;
    bool verify_;
#if (NGX_SSL)
    ngx_ssl_session_t *session_ = nullptr;
#endif
};

// Nothing has been received that was not read, not even an end.
bool tls_is_quiet(ngx_connection_t *c);

// Gives up what start_handshake() made; before `c` is closed. `polite`: tells
// the other side, if that can be done at once. Nothing to do without TLS.
void end_tls(ngx_connection_t *c, bool polite);

}  // namespace x402

#endif
