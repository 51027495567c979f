// SPDX-License-Identifier: Apache-2.0
// How an exchange of the http client gets a connection, and the events of that
// connection.
//
// The connections that the http client keeps between exchanges.
#include <algorithm>
#include <memory>

#include "nginx/call/ngx_http_x402_http_client_internal.hpp"

namespace x402 {

namespace {

constexpr std::size_t kMaxIdleConnections = 512;
constexpr ngx_msec_t kIdleLifetime = 60 * 1000;
constexpr ngx_msec_t kSweepInterval = 5 * 1000;
// Facilitators on node close idle connections after 5 s; a settle must not
// meet one that is about to die.
constexpr ngx_msec_t kMaxIdleOfSettle = 3 * 1000;

// Nothing has come: no bytes, no end. An idle connection must be silent.
bool is_quiet(ngx_connection_t *c)
{
    char byte;
    return tls_is_quiet(c) && recv(c->fd, &byte, 1, MSG_PEEK) == -1
           && ngx_socket_errno == NGX_EAGAIN;
}

ngx_msec_t idle_time(ngx_msec_t since)
{
    return ngx_current_msec - since;
}

}  // namespace

// Tries the addresses in turn; each gets its share of what time is left.
void HttpOrigin::Exchange::connect_next()
{
    while (next_address < origin.addresses_.size()) {
        std::size_t left = origin.addresses_.size() - next_address;
        auto opened = std::make_unique<Connection>();
        opened->origin = &origin;
        opened->exchange = this;
        opened->address = origin.addresses_[next_address++];
        reply.detail = "connect() to " + opened->address.text + " failed";
        ngx_connection_t *c = nullptr;
        ngx_int_t rc = open_peer(opened->address, c);
        if (c == nullptr) {
            continue;
        }
        c->data = opened.get();
        c->read->handler = on_read;
        c->write->handler = on_write;
        opened->c = c;
        connection = opened.release();
        ngx_tcp_nodelay(c);
        if (rc == NGX_OK) {
            connected();
            return;
        }
        ngx_msec_t share =
            time_until(connect_deadline) / static_cast<ngx_msec_t>(left);
        timer.arm(std::min(share, time_until(deadline)));
        return;
    }
    fail(reply.detail.empty() ? "no usable address" : reply.detail, false);
}

void HttpOrigin::Exchange::connected()
{
    if (origin.tls_) {
        start_handshake();
    } else {
        ready();
    }
}

// Within the time to connect.
void HttpOrigin::Exchange::start_handshake()
{
    if (!timer.armed()) {
        timer.arm(std::min(time_until(connect_deadline), time_until(deadline)));
    }
    ngx_int_t rc =
        origin.tls_->start_handshake(connection->c, on_handshake_done);
    if (rc != NGX_AGAIN) {
        handshake_done();
    }
}

void HttpOrigin::Exchange::handshake_done()
{
    ngx_connection_t *c = connection->c;
    std::string error = origin.tls_->validate(c);
    if (!error.empty()) {
        fail(error, false);
        return;
    }
    c->read->handler = on_read;
    c->write->handler = on_write;
    ready();
}

void HttpOrigin::Exchange::ready()
{
    connection->connected = true;
    timer.arm(time_until(deadline));
    send();
}

void HttpOrigin::Exchange::connect_failed(const std::string &why, bool late)
{
    origin.close(connection);
    connection = nullptr;
    if (next_address < origin.addresses_.size() && time_until(deadline) > 0) {
        connect_next();
        return;
    }
    fail(reply.detail + ": " + why, late);
}

void HttpOrigin::on_handshake_done(ngx_connection_t *c)
{
    auto *exchange = static_cast<Connection *>(c->data)->exchange;
    exchange->guarded([&] { exchange->handshake_done(); });
}

void HttpOrigin::on_write(ngx_event_t *event)
{
    auto *c = static_cast<ngx_connection_t *>(event->data);
    auto *exchange = static_cast<Connection *>(c->data)->exchange;
    if (exchange == nullptr) {
        return;
    }
    exchange->guarded([&] {
        if (exchange->connection->connected) {
            exchange->send();
        } else if (ngx_err_t error = connect_error(c)) {
            exchange->connect_failed(system_text(error), false);
        } else {
            exchange->connected();
        }
    });
}

void HttpOrigin::on_read(ngx_event_t *event)
{
    // worker_shutdown_timeout calls this with c->close set: as any other event,
    // it finds that there is nothing to read.
    auto *c = static_cast<ngx_connection_t *>(event->data);
    auto *exchange = static_cast<Connection *>(c->data)->exchange;
    exchange->guarded([&] {
        if (exchange->connection->connected) {
            exchange->receive();
        } else if (ngx_err_t error = connect_error(c)) {
            exchange->connect_failed(system_text(error), false);
        }
    });
}

HttpOrigin::HttpOrigin(unsigned port, std::unique_ptr<TlsPeer> tls)
    : port_(port),
      tls_(std::move(tls)),
      sweep_(
          AtQuit::cancel,
          [](void *origin) { static_cast<HttpOrigin *>(origin)->sweep(); },
          this)
{
}

HttpOrigin::~HttpOrigin()
{
    while (!idle_.empty()) {
        close(idle_.back());
    }
}

void HttpOrigin::use_addresses(const std::vector<std::string> &addresses)
{
    if (addresses == literals_) {
        return;
    }
    addresses_ = parse_peer_addresses(addresses, port_);
    literals_ = addresses;
}

bool HttpOrigin::leads_here(const Connection &connection) const
{
    return std::any_of(
        addresses_.begin(), addresses_.end(), [&](const PeerAddress &address) {
            return address.size == connection.address.size
                   && ngx_memcmp(&address.bytes, &connection.address.bytes,
                                 address.size)
                          == 0;
        });
}

// The one that was used last and is still open. nullptr: none.
HttpOrigin::Connection *HttpOrigin::take_idle(bool send_once)
{
    std::size_t at = idle_.size();
    while (at-- > 0) {
        Connection *connection = idle_[at];
        if (send_once && idle_time(connection->idle_since) > kMaxIdleOfSettle) {
            break;
        }
        ngx_connection_t *c = connection->c;
        if (!leads_here(*connection)) {
            continue;
        }
        if (!is_quiet(c)) {
            close(connection);
            continue;
        }
        idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(at));
        c->idle = 0;
        ngx_reusable_connection(c, 0);
        c->read->handler = on_read;
        return connection;
    }
    return nullptr;
}

// nginx: what is idle is closed when the worker is asked to quit, and when it
// runs out of connections.
void HttpOrigin::keep_or_close(Connection *connection)
{
    ngx_connection_t *c = connection->c;
    bool quiet = !c->close && !c->error && !c->read->eof && !c->read->error
                 && ngx_handle_read_event(c->read, 0) == NGX_OK
                 && (c->read->ready ? is_quiet(c) : tls_is_quiet(c));
    bool kept = quiet && !ngx_exiting && !ngx_terminate
                && idle_.size() < kMaxIdleConnections
                && guarded(ngx_cycle->log, false, [&] {
                       idle_.push_back(connection);
                       return true;
                   });
    if (!kept) {
        close(connection);
        return;
    }
    connection->idle_since = ngx_current_msec;
    c->read->handler = on_idle;
    c->idle = 1;
    ngx_reusable_connection(c, 1);
    if (!sweep_.armed()) {
        sweep_.arm(kSweepInterval);
    }
}

void HttpOrigin::close(Connection *connection)
{
    if (connection->c->idle) {
        idle_.erase(std::find(idle_.begin(), idle_.end(), connection));
    }
    if (tls_) {
        end_tls(connection->c, connection->exchange == nullptr);
    }
    ngx_close_connection(connection->c);
    delete connection;
}

void HttpOrigin::on_idle(ngx_event_t *event)
{
    auto *c = static_cast<ngx_connection_t *>(event->data);
    auto *connection = static_cast<Connection *>(c->data);
    guarded(c->log, 0, [&] {
        // c->close: nginx wants it back.
        if (c->close || !is_quiet(c)
            || ngx_handle_read_event(event, 0) != NGX_OK) {
            connection->origin->close(connection);
        }
        return 0;
    });
}

void HttpOrigin::sweep()
{
    while (!idle_.empty()
           && idle_time(idle_.front()->idle_since) >= kIdleLifetime) {
        close(idle_.front());
    }
    if (!idle_.empty()) {
        sweep_.arm(kSweepInterval);
    }
}

}  // namespace x402
