// SPDX-License-Identifier: Apache-2.0
// How the connection to the store is opened: address, TLS, AUTH, and whether
// what is there can be the memory of several machines.
#include <algorithm>

#include "base/hex_codec.hpp"
#include "base/text_excerpt.hpp"
#include "nginx/call/redis/ngx_http_x402_redis_link.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "store/store_check.hpp"

namespace x402 {

namespace {

constexpr std::size_t kEpochBytes = 16;
constexpr ngx_msec_t kLeastConnectTime = 1000;
constexpr std::size_t kHelloBytes = 8 * 1024;

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
        problem_ = "no address found for \"" + conf_.url.host
                   + "\"; correct the host of x402_store, or the name service";
        const std::vector<std::string> &literals =
            book_ ? book_->addresses() : conf_.addresses;
        if (literals.empty() && book_ && book_->busy()) {
            state_ = State::resolving;
            retry_.arm(std::max(conf_.timeout, kLeastConnectTime));
            return;
        }
        addresses_ = parse_peer_addresses(literals, conf_.url.port);
        next_address_ = 0;
        connect_next();
    });
}

void RedisLink::on_looked_up(void *data)
{
    auto *link = static_cast<RedisLink *>(data);
    if (link->state_ == State::resolving) {
        link->connect();
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

// AUTH, SELECT, INFO and the epoch, in one write.
void RedisLink::greet()
{
    unsigned char random[kEpochBytes];
    if (!fill_random(random, sizeof(random))) {
        fail("no random bytes", false);
        return;
    }
    epoch_ = hex_encode(random, sizeof(random));
    hello_.assign(kHelloBytes, '\0');
    RespWriter writer(&hello_[0], hello_.size());
    hello_step_ = 2;
    if (conf_.url.database != 0) {
        hello_step_ = 1;
    }
    const std::string &password = conf_.password.text;
    if (!password.empty()) {
        bool named = !conf_.url.user.empty();
        writer.begin(named ? 3 : 2).add("AUTH");
        if (named) {
            writer.add(conf_.url.user);
        }
        writer.add(password);
        hello_step_ = 0;
    }
    if (conf_.url.database != 0) {
        writer.begin(2).add("SELECT").add(
            static_cast<std::int64_t>(conf_.url.database));
    }
    writer.begin(1).add("INFO");
    writer.begin(5)
        .add("SET")
        .add(conf_.prefix + ":epoch")
        .add(epoch_)
        .add("NX")
        .add("GET");
    if (!writer.complete()) {
        fail("the user and the password of x402_store are too long", false);
        return;
    }
    hello_.resize(writer.size());
    hello_sent_ = 0;
    state_ = State::greeting;
    send();
}

// Steps: 0 AUTH, 1 SELECT, 2 INFO, 3 the epoch.
void RedisLink::read_greeting(const RespReply &reply)
{
    if (reply.is_error()) {
        StoreErrorAdvice advice = advice_of_store_error(reply.error_word());
        problem_ = "it answered \""
                   + log_excerpt(std::string(reply.root().text)) + "\""
                   + (*advice.advice ? std::string("; ") + advice.advice : "");
        fail(problem_, false);
        return;
    }
    const RespItem &root = reply.root();
    switch (hello_step_) {
    case 0:
        hello_step_ = conf_.url.database != 0 ? 1 : 2;
        return;
    case 2: {
        std::string error = check_store_info(root.text);
        if (!error.empty()) {
            fail(error, false);
            return;
        }
        break;
    }
    case 3:
        opened(root.type == RespType::bytes ? root.text : epoch_);
        return;
    default:
        break;
    }
    hello_step_++;
}

void RedisLink::opened(std::string_view epoch)
{
    retry_.disarm();
    state_ = State::ready;
    if (away_ || !complained_.empty()) {
        log_line(NGX_LOG_NOTICE, ngx_cycle->log,
                 "store \"" + conf_.url.base() + "\" is there again");
    }
    away_ = false;
    was_ready_ = true;
    late_ = 0;
    complained_.clear();
    std::string text(epoch);
    ready_(ready_data_, text);
    flush_.post();
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
