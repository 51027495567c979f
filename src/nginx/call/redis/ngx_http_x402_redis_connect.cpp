// SPDX-License-Identifier: Apache-2.0
// How a connection to the store is opened: which server, its address, TLS.
//
// What a new connection begins with: AUTH, and whether what is there can be the
// memory of several machines.
#include <algorithm>

#include "base/hex_codec.hpp"
#include "base/text_excerpt.hpp"
#include "base/token_signature.hpp"
#include "nginx/call/redis/ngx_http_x402_redis_link.hpp"
#include "nginx/call/redis/ngx_http_x402_redis_sentinel.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "store/store_check.hpp"
#include "store/store_error.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kLeastConnectTime = 1000;

constexpr std::size_t kEpochBytes = 16;
constexpr std::size_t kHelloBytes = 8 * 1024;
constexpr ngx_msec_t kCheckInterval = 5000;

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

// Money: also in a worker that quits, which has payments to end, and to tell
// what became of them. Nothing of this holds it up.
void RedisLink::connect()
{
    guarded_event([&] {
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
        book_ = std::make_unique<AddressBook>(place.host, "x402_store's host",
                                              conf_.resolver, server_.addresses,
                                              on_looked_up, this);
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
    ngx_int_t rc = tls_->start_handshake(c_, on_handshake_done);
    if (rc != NGX_AGAIN) {
        handshake_done();
    }
}

void RedisLink::handshake_done()
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

void RedisLink::on_handshake_done(ngx_connection_t *c)
{
    auto *link = static_cast<RedisLink *>(c->data);
    guarded(c->log, 0, [&] {
        link->guarded_event([&] { link->handshake_done(); });
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

// All steps in one write.
void RedisLink::greet()
{
    if (!offer_epoch()) {
        fail("no random bytes", false);
        return;
    }
    if (!write_greeting()) {
        fail("the user and the password of x402_store are too long", false);
        return;
    }
    hello_sent_ = 0;
    state_ = State::greeting;
    if (steps_.empty()) {
        opened({});
        return;
    }
    send();
}

// The epoch of a cluster is that of each shard, and asked for as claims are.
bool RedisLink::write_greeting()
{
    hello_.resize(kHelloBytes);
    RespWriter writer(hello_.data(), hello_.size());
    steps_.clear();
    std::string_view password = login_.password.view();
    if (!password.empty()) {
        bool named = !login_.user.empty();
        writer.begin(named ? 3 : 2).add("AUTH");
        if (named) {
            writer.add(login_.user);
        }
        writer.add(password);
        steps_.push_back(Step::auth);
    }
    if (server_.role != RedisRole::sentinel) {
        if (conf_.url.database != 0) {
            writer.begin(2).add("SELECT").add(
                static_cast<std::int64_t>(conf_.url.database));
            steps_.push_back(Step::select);
        }
        writer.begin(1).add("INFO");
        steps_.push_back(Step::info);
    }
    if (server_.role == RedisRole::store) {
        write_epoch(writer);
        steps_.push_back(Step::epoch);
    }
    std::reverse(steps_.begin(), steps_.end());
    hello_.resize(writer.size());
    return writer.complete();
}

void RedisLink::read_greeting(const RespReply &reply)
{
    if (reply.is_error()) {
        problem_ = told_as(reply);
        fail(problem_, false);
        return;
    }
    const RespItem &root = reply.root();
    Step step = steps_.back();
    steps_.pop_back();
    if (step == Step::info) {
        std::string error = check_store_info(root.text, conf_.url.topology);
        if (!error.empty()) {
            fail(error, false);
            return;
        }
    }
    if (steps_.empty()) {
        opened(step == Step::epoch ? epoch_of(root) : std::string());
    }
}

void RedisLink::opened(std::string_view epoch)
{
    retry_.disarm();
    state_ = State::ready;
    if (away_ || !complained_.empty()) {
        log_line(NGX_LOG_NOTICE, ngx_cycle->log, label() + " is there again");
    }
    away_ = false;
    was_ready_ = true;
    late_ = 0;
    complained_.clear();
    events_.ready(events_.data, *this, std::string(epoch));
    flush_.post();
    if (server_.role != RedisRole::sentinel) {
        check_.arm(kCheckInterval);
    }
}

// Another one each time: workers that look later see that it was emptied.
bool RedisLink::offer_epoch()
{
    unsigned char random[kEpochBytes];
    if (!fill_random(random, sizeof(random))) {
        return false;
    }
    offered_ = hex_encode(random, sizeof(random));
    return true;
}

void RedisLink::write_epoch(RespWriter &writer) const
{
    writer.begin(5)
        .add("SET")
        .add(conf_.prefix + ":epoch")
        .add(offered_)
        .add("NX")
        .add("GET");
}

const std::string &RedisLink::epoch_of(const RespItem &answer)
{
    bool had_one = answer.type == RespType::bytes;
    epoch_.assign(had_one ? answer.text : std::string_view(offered_));
    return epoch_;
}

// Money: a server that is told to evict, or that is emptied, closes no
// connection.
void RedisLink::check_again()
{
    guarded_event([&] {
        check_.arm(kCheckInterval);
        add_own(Kind::info, kHelloBytes,
                [](RespWriter &writer) { writer.begin(1).add("INFO"); });
        if (server_.role == RedisRole::store && offer_epoch()) {
            add_own(Kind::epoch, kHelloBytes,
                    [&](RespWriter &writer) { write_epoch(writer); });
        }
        flush_.post();
    });
}

void RedisLink::checked(Kind kind, const RespReply &reply)
{
    if (kind == Kind::info) {
        std::string error =
            check_store_info(reply.root().text, conf_.url.topology);
        if (!error.empty()) {
            fail(error, false);
        }
    }
    if (kind == Kind::epoch) {
        std::string before = epoch_;
        if (epoch_of(reply.root()) != before) {
            events_.ready(events_.data, *this, epoch_);
        }
    }
}

}  // namespace x402
