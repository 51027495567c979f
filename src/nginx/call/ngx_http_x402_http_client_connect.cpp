// SPDX-License-Identifier: Apache-2.0
// How an exchange of the http client gets a connection, and the events of that
// connection.
#include <algorithm>
#include <memory>

#include "nginx/call/ngx_http_x402_http_client_internal.hpp"

namespace x402 {

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
        shake_hands();
    } else {
        ready();
    }
}

// Within the time to connect.
void HttpOrigin::Exchange::shake_hands()
{
    if (!timer.armed()) {
        timer.arm(std::min(time_until(connect_deadline), time_until(deadline)));
    }
    ngx_int_t rc = origin.tls_->shake_hands(connection->c, on_hands_shaken);
    if (rc != NGX_AGAIN) {
        hands_shaken();
    }
}

void HttpOrigin::Exchange::hands_shaken()
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

void HttpOrigin::on_hands_shaken(ngx_connection_t *c)
{
    auto *exchange = static_cast<Connection *>(c->data)->exchange;
    exchange->guarded([&] { exchange->hands_shaken(); });
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

}  // namespace x402
