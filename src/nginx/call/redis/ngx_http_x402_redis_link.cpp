// SPDX-License-Identifier: Apache-2.0
// Commands and answers on an open connection; its deadlines and its end. It is
// longer than other files because all of them change what is waited for.
#include "nginx/call/redis/ngx_http_x402_redis_link.hpp"

#include <algorithm>
#include <cstring>

#include "nginx/call/redis/ngx_http_x402_redis_sentinel.hpp"

namespace x402 {

namespace {

constexpr std::size_t kReadBytes = 16 * 1024;
constexpr ngx_msec_t kProbeInterval = 1000;
constexpr unsigned kMostAtOnce = 5;  // of connections, in that time
constexpr unsigned kLateAnswers = 3;
constexpr ngx_msec_t kLazyDelay = 3;

ngx_msec_t time_left(ngx_msec_t moment)
{
    auto left = static_cast<ngx_msec_int_t>(moment - ngx_current_msec);
    return left > 0 ? static_cast<ngx_msec_t>(left) : 0;
}

}  // namespace

void RedisCall::stop()
{
    if (link_) {
        link_->forget(this);
        link_ = nullptr;
    }
}

RedisLink::RedisLink(const StoreConf &conf, RedisServer server, Events events)
    : conf_(conf),
      login_(server.role == RedisRole::sentinel ? conf.sentinel_login
                                                : conf.login),
      server_(std::move(server)),
      events_(events),
      replicas_(conf.replicas),
      flush_(
          AtQuit::wait,
          [](void *link) { static_cast<RedisLink *>(link)->flush(); }, this),
      deadline_(
          AtQuit::wait,
          [](void *link) { static_cast<RedisLink *>(link)->timed(); }, this),
      retry_(
          AtQuit::cancel,
          [](void *link) { static_cast<RedisLink *>(link)->retry(); }, this),
      replicas_probe_(
          AtQuit::cancel,
          [](void *link) {
              static_cast<RedisLink *>(link)->look_for_replicas();
          },
          this),
      check_(
          AtQuit::cancel,
          [](void *link) { static_cast<RedisLink *>(link)->check_again(); },
          this)
{
    bool asks = conf.url.topology == StoreTopology::sentinel
                && server_.role == RedisRole::store;
    if (asks) {
        sentinels_ = std::make_unique<SentinelQuery>(
            conf,
            [](void *link, const StorePlace *place,
               const std::string &problem) {
                static_cast<RedisLink *>(link)->found_master(place, problem);
            },
            this);
    } else {
        use(server_.place, std::move(server_.addresses));
    }
}

RedisLink::~RedisLink()
{
    let_go();
    close();
}

// Calls that wait get no answer.
void RedisLink::let_go()
{
    for (std::size_t i = 0; i < pending_.size(); i++) {
        if (RedisCall *call = pending_[i].call) {
            call->link_ = nullptr;
        }
    }
    pending_.clear();
}

void RedisLink::start()
{
    if (resting_) {
        resting_ = false;
        away_ = false;
        connect();
    }
}

void RedisLink::rest()
{
    let_go();
    close();
    end_all();
    retry_.disarm();
    was_ready_ = false;
    late_ = 0;
    resting_ = true;
}

void RedisLink::expect(RedisCall &call, std::size_t begin, const RedisSend &how,
                       RedisCall::Done done, void *data)
{
    bool replicated = how.replicated && replicas_ > 0;
    pending_.push_back({&call, out_begin_ + begin,
                        ngx_current_msec + conf_.timeout,
                        replicated ? Kind::replicated : Kind::plain, 0, 0});
    wait_due_ = wait_due_ || replicated;
    call.link_ = this;
    call.done_ = done;
    call.data_ = data;
    arm();
    if (state_ == State::ready && !how.lazy) {
        flush_.post();
    } else if (state_ == State::ready && !flush_.armed()) {
        flush_.arm(kLazyDelay);
    }
}

void RedisLink::forget(RedisCall *call)
{
    for (std::size_t i = 0; i < pending_.size(); i++) {
        if (pending_[i].call == call) {
            pending_[i].call = nullptr;
        }
    }
}

// All that came together in this turn, in as few system calls as it takes.
void RedisLink::flush()
{
    flush_.disarm();
    if (state_ == State::ready) {
        guarded_event([&] { send(); });
    }
}

void RedisLink::push()
{
    if (state_ == State::ready) {
        (void)send_bytes(out_.text(),
                         out_sent_);  // flush() finds out what is wrong
    }
}

bool RedisLink::send_bytes(std::string_view bytes, std::size_t &sent)
{
    while (sent < bytes.size()) {
        auto *begin =
            reinterpret_cast<u_char *>(const_cast<char *>(bytes.data() + sent));
        ssize_t n = c_->send(c_, begin, bytes.size() - sent);
        if (n == NGX_AGAIN) {
            break;
        }
        if (n < 0) {
            return false;
        }
        sent += static_cast<std::size_t>(n);
    }
    return ngx_handle_write_event(c_->write, 0) == NGX_OK;
}

void RedisLink::send()
{
    if (state_ == State::ready && wait_due_) {
        add_wait(std::max<ngx_msec_t>(conf_.timeout / 2, 1));
    }
    bool alive = state_ == State::greeting
                     ? send_bytes(hello_.view(), hello_sent_)
                     : send_bytes(out_.text(), out_sent_);
    if (!alive) {
        fail(end_of_connection("the connection broke"), true);
        return;
    }
    if (state_ == State::ready && out_sent_ == out_.size()) {
        out_begin_ += out_.size();
        out_.clear();
        out_sent_ = 0;
    }
    if (c_->read->ready) {
        receive();
    }
}

// One that ends before it was used is perhaps not spoken to as it expects.
std::string RedisLink::end_of_connection(const char *what) const
{
    bool unused = state_ == State::greeting && !tls_;
    return unused ? std::string(what)
                        + " before it answered; if it expects TLS, write "
                          "rediss://"
                  : what;
}

void RedisLink::receive()
{
    std::uint64_t opened = opened_;
    for (;;) {
        if (in_.size() - in_size_ < kReadBytes) {
            in_.resize(in_size_ + 2 * kReadBytes);
        }
        ssize_t n = c_->recv(c_, reinterpret_cast<u_char *>(&in_[in_size_]),
                             in_.size() - in_size_);
        if (n == NGX_AGAIN) {
            break;
        }
        if (n <= 0) {
            fail(end_of_connection(n == 0 ? "it closed the connection"
                                          : "the connection broke"),
                 true);
            return;
        }
        in_size_ += static_cast<std::size_t>(n);
        std::size_t used = 0;
        RespReply::State read = RespReply::State::complete;
        while (used < in_size_ && opened == opened_) {
            read = reply_.read({in_.data() + used, in_size_ - used});
            if (read != RespReply::State::complete) {
                break;
            }
            std::string_view bytes(in_.data() + used, reply_.used());
            used += bytes.size();
            dispatch(reply_, bytes);
        }
        if (opened != opened_) {
            return;  // what was read asked to close it
        }
        if (read == RespReply::State::broken) {
            fail(std::string("it does not speak the protocol of Redis: ")
                     + reply_.problem()
                     + "; correct the address, another program listens there",
                 false);
            return;
        }
        std::memmove(&in_[0], &in_[used], in_size_ - used);
        in_size_ -= used;
        if (!c_->read->ready) {
            break;
        }
    }
    if (ngx_handle_read_event(c_->read, 0) != NGX_OK) {
        fail("the connection broke", true);
    }
}

void RedisLink::dispatch(const RespReply &reply, std::string_view bytes)
{
    late_ = 0;
    if (state_ == State::greeting) {
        read_greeting(reply);
        return;
    }
    if (pending_.size() == answered_) {
        fail("it sent an answer without a request", false);
        return;
    }
    Pending &pending = pending_[answered_];
    if (pending.kind == Kind::wait) {
        replicas_answered(reply);
        return;
    }
    if (pending.kind == Kind::replicated && pending.call != nullptr
        && !reply.is_error()) {
        pending.answer_at = held_.size();
        pending.answer_size = bytes.size();
        held_.append(bytes);
        answered_++;
        return;
    }
    RedisCall *call = pending.call;
    Kind kind = pending.kind;
    pending.call = nullptr;
    if (answered_ == 0) {
        pending_.pop_front();
    } else {
        answered_++;
    }
    report(call, RedisEnd::answered, reply);
    if (reply.is_error()) {
        complain_of(reply);
    } else {
        checked(kind, reply);
    }
}

void RedisLink::report(RedisCall *call, RedisEnd end, const RespReply &reply)
{
    if (call != nullptr) {
        call->link_ = nullptr;
        guarded(ngx_cycle->log, 0, [&] {
            call->done_(call->data_, end, reply);
            return 0;
        });
    }
}

// A server that closes each connection after it was greeted is not asked
// without an end. Money: a few times in a row it is, because what was being
// written is written again then, before other machines look for it.
bool RedisLink::may_connect_at_once()
{
    if (ngx_current_msec - quick_since_ >= kProbeInterval) {
        quick_since_ = ngx_current_msec;
        quick_ = 0;
    }
    return quick_++ < kMostAtOnce;
}

// `retry`: what was open breaks in the best of families; it is opened again at
// once. Otherwise, if that fails, or if it breaks again and again, the store is
// away.
void RedisLink::fail(const std::string &why, bool retry)
{
    bool at_once = retry && was_ready_ && may_connect_at_once();
    was_ready_ = false;
    close();
    bool asked_once = server_.role == RedisRole::sentinel;
    log_failure(asked_once ? NGX_LOG_WARN : NGX_LOG_ERR, why);
    away_ = !at_once;
    end_all();
    if (asked_once) {
        retry_.disarm();
        return;
    }
    if (at_once) {
        connect();
        return;
    }
    retry_.arm(kProbeInterval);
    events_.down(events_.data, *this);
}

void RedisLink::end_all()
{
    std::uint64_t sent = out_begin_ + out_sent_;
    out_begin_ += out_.size();
    out_.clear();
    out_sent_ = 0;
    answered_ = 0;
    held_.clear();
    wait_due_ = false;
    deadline_.disarm();
    // A caller that gets its answer may stop other calls, and begin new ones.
    for (std::size_t left = pending_.size(); left > 0; left--) {
        RedisCall *call = pending_.front().call;
        bool was_sent = pending_.front().begin < sent;
        pending_.pop_front();
        report(call, was_sent ? RedisEnd::lost : RedisEnd::unsent, RespReply());
    }
}

void RedisLink::close()
{
    if (c_) {
        if (tls_) {
            end_tls(c_, false);
        }
        ngx_close_connection(c_);
        c_ = nullptr;
    }
    opened_++;
    in_size_ = 0;
    state_ = State::idle;
    lacks_replicas_ = false;
    replicas_probe_.disarm();
    check_.disarm();
}

void RedisLink::arm()
{
    if (deadline_.armed()) {
        return;
    }
    for (std::size_t i = 0; i < pending_.size(); i++) {
        if (pending_[i].call) {
            deadline_.arm(
                std::max<ngx_msec_t>(time_left(pending_[i].deadline), 1));
            return;
        }
    }
}

void RedisLink::timed()
{
    bool some = false;
    for (std::size_t i = 0; i < pending_.size(); i++) {
        RedisCall *call = pending_[i].call;
        if (call == nullptr || time_left(pending_[i].deadline) > 0) {
            continue;
        }
        some = true;
        late_++;
        pending_[i].call = nullptr;
        report(call, RedisEnd::late, RespReply());
    }
    if (some && late_ >= kLateAnswers && c_ != nullptr) {
        guarded_event([&] {
            fail("no answer in time (timeout of x402_store), three times in a "
                 "row; look at its load and the network; it is asked again "
                 "each second, and until it answers nothing is sold",
                 false);
        });
        return;
    }
    arm();
}

}  // namespace x402
