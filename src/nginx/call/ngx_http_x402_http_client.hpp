// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 to a facilitator over TCP or TLS, on nginx's own connections.
//
// An HttpOrigin is one host and port as one worker talks to it: its addresses
// and the connections kept open to it. FacilitatorCall uses it. Nothing here
// blocks, looks names up, or follows a redirect.
#ifndef NGX_HTTP_X402_HTTP_CLIENT_HPP
#define NGX_HTTP_X402_HTTP_CLIENT_HPP

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "facilitator/facilitator_port.hpp"
#include "nginx/call/ngx_http_x402_http_client_tls.hpp"
#include "nginx/call/ngx_http_x402_peer_socket.hpp"
#include "nginx/core/ngx_http_x402_timer.hpp"

namespace x402 {

// The detail of a call that memory was refused for: short enough for a string
// that allocates nothing.
constexpr const char *kNoMemory = "no memory";

struct HttpRequest {
    std::string head;        // whole, with the empty line at its end
    bool is_secret = false;  // the head; overwritten when it is not needed
    std::string_view body;   // Lifetime: until `done` or cancel()
    // Money: never a second time once the kernel has taken a byte of it (or TLS
    // has been given any), and not on a connection that may be about to be
    // closed by the other side.
    bool send_once = false;
    bool background = false;  // a quitting worker need not wait for it
    // nullptr: not asked for. Called when all of it is with the kernel, with
    // the data of `done`; again if it is sent again, and perhaps inside
    // start().
    void (*on_sent)(void *data) = nullptr;
    ngx_msec_t connect_timeout = 0;
    ngx_msec_t timeout = 0;  // for everything
};

class HttpOrigin {
public:
    struct Exchange;
    using Done = void (*)(void *data, FacilitatorReply &reply);

    // `tls`: nullptr for http.
    HttpOrigin(unsigned port, std::unique_ptr<TlsPeer> tls);
    ~HttpOrigin();  // no exchange may be left
    HttpOrigin(const HttpOrigin &) = delete;
    HttpOrigin &operator=(const HttpOrigin &) = delete;

    unsigned port() const { return port_; }
    bool secure() const { return tls_ != nullptr; }
    // Literal addresses, in the order in which they are tried. Connections to
    // others are not used any more.
    void use_addresses(const std::vector<std::string> &addresses);

    // `done` is called once, later, unless cancel() comes first.
    Exchange *start(HttpRequest request, Done done, void *data);
    void cancel(Exchange *exchange);

private:
    struct Connection;

    Connection *take_idle(bool send_once);
    void keep_or_close(Connection *connection);
    void close(Connection *connection);
    bool leads_here(const Connection &connection) const;
    static void on_handshake_done(ngx_connection_t *c);
    static void on_read(ngx_event_t *event);
    static void on_write(ngx_event_t *event);
    static void on_idle(ngx_event_t *event);
    void sweep();

    unsigned port_;
    std::unique_ptr<TlsPeer> tls_;
    std::vector<std::string> literals_;  // what addresses_ was made of
    std::vector<PeerAddress> addresses_;
    std::vector<Connection *> idle_;  // longest idle first
    Timer sweep_;
};

}  // namespace x402

#endif
