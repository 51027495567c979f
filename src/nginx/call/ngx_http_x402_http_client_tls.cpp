// SPDX-License-Identifier: Apache-2.0
#include "nginx/call/ngx_http_x402_http_client_tls.hpp"

namespace x402 {

#if (NGX_SSL)

namespace {

// nginx: what it keeps of a TLS connection comes from the connection's pool.
constexpr std::size_t kPoolBytes = 256;

// The server is to speak HTTP/1.1, which the http client does.
constexpr unsigned char kHttp11[] = "\x08http/1.1";

bool must_be(SSL *ssl, const std::string &name, bool is_address)
{
    if (is_address) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str())
               == 1;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, name.c_str()) == 1;
}

}  // namespace

TlsContext::~TlsContext()
{
    if (ssl_.ctx) {
        SSL_CTX_free(ssl_.ctx);
    }
}

bool TlsContext::prepare(const std::string &trusted_certificate, ngx_log_t *log,
                         bool http)
{
    ssl_.log = log;
    if (ngx_ssl_create(&ssl_, NGX_SSL_TLSv1_2 | NGX_SSL_TLSv1_3, nullptr)
        != NGX_OK) {
        return false;
    }
    bool ready =
        (!http
         || SSL_CTX_set_alpn_protos(ssl_.ctx, kHttp11, sizeof(kHttp11) - 1)
                == 0)
        && (trusted_certificate.empty()
                ? SSL_CTX_set_default_verify_paths(ssl_.ctx)
                : SSL_CTX_load_verify_locations(
                    ssl_.ctx, trusted_certificate.c_str(), nullptr))
               == 1;
    ERR_clear_error();
    return ready;
}

TlsPeer::TlsPeer(TlsContext &context, std::string name, bool is_address,
                 bool verify)
    : context_(context),
      name_(std::move(name)),
      is_address_(is_address),
      verify_(verify)
{
}

TlsPeer::~TlsPeer()
{
    if (session_) {
        ngx_ssl_free_session(session_);
    }
}

ngx_int_t TlsPeer::start_handshake(ngx_connection_t *c, Handler handler)
{
    c->pool = ngx_create_pool(kPoolBytes, c->log);
    if (c->pool == nullptr
        || ngx_ssl_create_connection(&context_.ssl_, c, NGX_SSL_CLIENT)
               != NGX_OK) {
        return NGX_ERROR;
    }
    SSL *ssl = c->ssl->connection;
    // The handshake succeeds whatever the certificate is: validate() says
    // afterwards what is wrong with it, in better words than a TLS alert.
    if ((verify_ && !must_be(ssl, name_, is_address_))
        || (!is_address_ && SSL_set_tlsext_host_name(ssl, name_.c_str()) != 1)
        || ngx_ssl_set_session(c, session_) != NGX_OK) {
        ERR_clear_error();
        return NGX_ERROR;
    }
    ngx_int_t rc = ngx_ssl_handshake(c);
    if (rc == NGX_AGAIN) {
        c->ssl->handler = handler;
    }
    return rc;
}

std::string TlsPeer::validate(ngx_connection_t *c) const
{
    if (c->ssl == nullptr) {
        return "no memory for TLS";
    }
    if (!c->ssl->handshaked) {
        return "TLS handshake failed; the server needs TLS 1.2 or newer";
    }
    if (!verify_) {
        return {};
    }
    long verdict = SSL_get_verify_result(c->ssl->connection);
    if (verdict != X509_V_OK) {
        return std::string("certificate refused: ")
               + X509_verify_cert_error_string(verdict);
    }
    X509 *certificate = SSL_get_peer_certificate(c->ssl->connection);
    if (certificate == nullptr) {
        return "certificate refused: there is none";
    }
    X509_free(certificate);
    return {};
}

void TlsPeer::remember(ngx_connection_t *c)
{
    if (session_) {
        ngx_ssl_free_session(session_);
    }
    session_ = ngx_ssl_get_session(c);
}

bool tls_is_quiet(ngx_connection_t *c)
{
    return c->ssl == nullptr
           || (!SSL_has_pending(c->ssl->connection)
               && !(SSL_get_shutdown(c->ssl->connection)
                    & SSL_RECEIVED_SHUTDOWN));
}

void end_tls(ngx_connection_t *c, bool polite)
{
    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown |= polite ? 0 : 1;
        if (ngx_ssl_shutdown(c) == NGX_AGAIN) {
            // It would have to wait for room to say goodbye.
            c->ssl->no_send_shutdown = 1;
            (void)ngx_ssl_shutdown(c);
        }
    }
    if (c->pool) {
        ngx_destroy_pool(c->pool);
        c->pool = nullptr;
    }
}

std::string TlsContext::version()
{
    // "OpenSSL 3.0.15 3 Sep 2024"
    std::string text = ngx_ssl_version();
    std::size_t name = text.find(' ');
    return text.substr(0, name == std::string::npos ? name
                                                    : text.find(' ', name + 1));
}

#else

std::string TlsContext::version()
{
    return {};
}

// No peer is made where kHasTls is false.

TlsContext::~TlsContext() = default;

bool TlsContext::prepare(const std::string &, ngx_log_t *, bool)
{
    return false;
}

TlsPeer::TlsPeer(TlsContext &context, std::string name, bool is_address,
                 bool verify)
    : context_(context),
      name_(std::move(name)),
      is_address_(is_address),
      verify_(verify)
{
}

TlsPeer::~TlsPeer() = default;

ngx_int_t TlsPeer::start_handshake(ngx_connection_t *, Handler)
{
    return NGX_ERROR;
}

std::string TlsPeer::validate(ngx_connection_t *) const
{
    return "nginx has no TLS";
}

void TlsPeer::remember(ngx_connection_t *) {}

bool tls_is_quiet(ngx_connection_t *)
{
    return true;
}

void end_tls(ngx_connection_t *, bool) {}

#endif

}  // namespace x402
