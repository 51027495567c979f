// SPDX-License-Identifier: Apache-2.0
// How a connection to the store is opened: which server, its address, TLS.
#include <algorithm>

#include "nginx/call/redis/ngx_http_x402_redis_sentinel.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kLeastConnectTime = 1000;

}  // namespace

// The next attempt, or the end of one that took too long.
void RedisLink::retry()
{
    if (state_ == State::idle) {
        connect();
        return;
    }
    guarded_event([&] {
        fail(problem_
                 + (state_ == State::resolving ? "" : ": no answer in time"),
             false);
    });
}

void RedisLink::connect()
{
    guarded_event([&] {
        if (ngx_exiting && pending_.empty()) {
            return;
        }
        if (sentinels_) {
            // Each time: what was the master may be one no more.
            state_ = State::resolving;
            retry_.disarm();
            sentinels_->ask();
            return;
        }
        connect_to_server();
    });
}

void RedisLink::found_master(const StorePlace *place,
                             const std::string &problem)
{
    guarded_event([&] {
        if (state_ != State::resolving) {
            return;
        }
        if (place == nullptr) {
            fail(problem, false);
            return;
        }
        if (!(*place == server_.place)) {
            log_line(NGX_LOG_NOTICE, ngx_cycle->log,
                     label() + ": the master is " + place->text());
            use(*place, {});
        }
        connect_to_server();
    });
}

void RedisLink::use(const StorePlace &place, std::vector<std::string> addresses)
{
    server_.place = place;
    server_.addresses = std::move(addresses);
    book_.reset();
    tls_.reset();
    if (conf_.url.secure) {
        tls_ = std::make_unique<TlsPeer>(*conf_.tls, place.host,
                                         place.host_is_address, true);
    }
    if (place.host_is_address) {
        server_.addresses.assign(1, place.host);
    } else {
        book_ = std::make_unique<AddressBook>(
            place.host, conf_.resolver, server_.addresses, on_looked_up, this);
    }
}

void RedisLink::connect_to_server()
{
    problem_ = "no address found for \"" + server_.place.host
               + "\"; correct the host of x402_store, or the name service";
    const std::vector<std::string> &literals =
        book_ ? book_->addresses() : server_.addresses;
    if (literals.empty() && book_ && book_->busy()) {
        state_ = State::resolving;
        retry_.arm(std::max(conf_.timeout, kLeastConnectTime));
        return;
    }
    addresses_ = parse_peer_addresses(literals, server_.place.port);
    next_address_ = 0;
    connect_next();
}

void RedisLink::on_looked_up(void *data)
{
    auto *link = static_cast<RedisLink *>(data);
    if (link->state_ == State::resolving) {
        link->guarded_event([&] { link->connect_to_server(); });
    }
}

void RedisLink::connect_next()
{
    close();
    while (next_address_ < addresses_.size()) {
        address_ = addresses_[next_address_++];
        problem_ = "connect() to " + address_.text
                   + " failed; start it, or correct the address";
        ngx_int_t rc = open_peer(address_, c_);
        if (c_ == nullptr) {
            continue;
        }
        c_->data = this;
        c_->read->handler = on_event;
        c_->write->handler = on_event;
        state_ = State::connecting;
        retry_.arm(std::max(conf_.timeout, kLeastConnectTime));
        ngx_tcp_nodelay(c_);
        if (rc == NGX_OK) {
            connected();
        }
        return;
    }
    fail(problem_, false);
}

void RedisLink::connected()
{
    if (!tls_) {
        greet();
        return;
    }
    problem_ =
        "TLS to " + address_.text
        + " is not agreed on; look into its log, or write redis:// if it "
          "has none";
    ngx_int_t rc = tls_->shake_hands(c_, on_hands_shaken);
    if (rc != NGX_AGAIN) {
        hands_shaken();
    }
}

void RedisLink::hands_shaken()
{
    std::string error = tls_->validate(c_);
    if (!error.empty()) {
        problem_ =
            "TLS to " + address_.text + ": " + error
            + "; correct the host of x402_store, the certificate of the "
              "server, or ssl_trusted_certificate=; if it has no TLS, write "
              "redis://";
        connect_next();
        return;
    }
    tls_->remember(c_);
    c_->read->handler = on_event;
    c_->write->handler = on_event;
    greet();
}

void RedisLink::on_hands_shaken(ngx_connection_t *c)
{
    auto *link = static_cast<RedisLink *>(c->data);
    guarded(c->log, 0, [&] {
        link->guarded_event([&] { link->hands_shaken(); });
        return 0;
    });
}

void RedisLink::on_event(ngx_event_t *event)
{
    auto *c = static_cast<ngx_connection_t *>(event->data);
    auto *link = static_cast<RedisLink *>(c->data);
    guarded(c->log, 0, [&] {
        link->guarded_event([&] { link->ready_for(event->write != 0); });
        return 0;
    });
}

void RedisLink::ready_for(bool writes)
{
    switch (state_) {
    case State::connecting:
        if (ngx_err_t error = connect_error(c_)) {
            problem_ += ": " + system_text(error);
            connect_next();
        } else if (writes) {
            connected();
        }
        break;
    case State::greeting:
    case State::ready:
        if (writes) {
            send();
        } else {
            receive();
        }
        break;
    default:
        break;
    }
}

}  // namespace x402
