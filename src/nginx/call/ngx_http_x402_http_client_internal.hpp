// SPDX-License-Identifier: Apache-2.0
// Private to the files of the http client: http_client (one call),
// http_client_connect (its connection), http_client_tls.
#ifndef NGX_HTTP_X402_HTTP_CLIENT_INTERNAL_HPP
#define NGX_HTTP_X402_HTTP_CLIENT_INTERNAL_HPP

#include "facilitator/response_reader.hpp"
#include "nginx/call/ngx_http_x402_http_client.hpp"
#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

inline ngx_msec_t time_until(ngx_msec_t moment)
{
    auto left = static_cast<ngx_msec_int_t>(moment - ngx_current_msec);
    return left > 0 ? static_cast<ngx_msec_t>(left) : 0;
}

// One TCP connection, which nginx sees as c->data of its own.
struct HttpOrigin::Connection {
    HttpOrigin *origin = nullptr;
    ngx_connection_t *c = nullptr;
    Exchange *exchange = nullptr;  // nullptr: idle
    PeerAddress address;           // where it leads
    ngx_msec_t idle_since = 0;
    bool connected = false;  // with TLS: to the right host
};

// One request and its answer. Owns its connection while it has one.
struct HttpOrigin::Exchange {
    Exchange(HttpOrigin &its_origin, HttpRequest its_request, Done its_done,
             void *its_data);
    ~Exchange();
    Exchange(const Exchange &) = delete;
    Exchange &operator=(const Exchange &) = delete;

    // Runs `body` for an event of nginx. If it throws, the exchange fails, and
    // its owner gets that as the answer, which cannot throw; `this` may be gone
    // afterwards.
    template <class Body> void guarded(Body &&body)
    {
        bool heard = x402::guarded(ngx_cycle->log, false, [&] {
            body();
            return true;
        });
        if (!heard) {
            fail(kNoMemory, false);
        }
    }
    void begin();
    void connect_next();
    void connected();
    void start_handshake();
    void handshake_done();
    void ready();
    void connect_failed(const std::string &why, bool late);
    void send();
    void receive();
    void lost(const char *why);
    void fail(const std::string &why, bool late);
    void answer();
    void end();
    void deliver();
    bool send_some();
    std::size_t size() const
    {
        return request.head.size() + request.body.size();
    }
    void timed();

    HttpOrigin &origin;
    HttpRequest request;
    Done done;
    void *data;
    FacilitatorReply reply;
    ResponseReader reader;
    Connection *connection = nullptr;
    std::size_t sent = 0;          // of head and body, on this connection
    bool begun = false;            // a byte of them may have left on it
    std::size_t next_address = 0;  // of the origin's
    ngx_msec_t deadline;
    ngx_msec_t connect_deadline = 0;
    bool anything_sent = false;  // a byte may have left, ever
    bool reused = false;         // the connection has served before
    bool send_failed = false;
    bool repeated = false;
    bool starting = true;  // inside start(), where `done` may not be called
    bool ended = false;    // the reply is made and only to be delivered
    Timer timer;           // keeps a quitting worker alive, too
};

}  // namespace x402

#endif
