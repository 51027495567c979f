// SPDX-License-Identifier: Apache-2.0
// The one connection of a worker to the store: opened, checked, and opened
// again; commands go out together at the end of a turn of the event loop, and
// answers come in their order.
//
// Nothing blocks. A connection that breaks is opened again at once. If that
// fails, or after three answers in a row that did not come in time, the store
// counts as away: calls are refused at once, and every second a connection is
// tried. Knows nothing of payments.
#ifndef NGX_HTTP_X402_REDIS_LINK_HPP
#define NGX_HTTP_X402_REDIS_LINK_HPP

#include <deque>
#include <memory>
#include <string>

#include "nginx/call/ngx_http_x402_lookup.hpp"
#include "nginx/call/ngx_http_x402_peer_socket.hpp"
#include "nginx/call/redis/ngx_http_x402_store_conf.hpp"
#include "nginx/core/ngx_http_x402_timer.hpp"
#include "store/resp_reader.hpp"
#include "store/resp_writer.hpp"

namespace x402 {

class RedisLink;

enum class RedisEnd : std::uint8_t {
    answered,  // the reply may still be an error
    unsent,    // no byte of it left this machine
    lost,      // the connection broke; the store may have done it
    late,      // no answer in time; the store may have done it
};

// A command that waits for its answer. Lifetime: part of its owner; if that
// goes, the command goes on without it.
class RedisCall {
public:
    // `reply` is valid for the call if it was answered, and empty otherwise.
    using Done = void (*)(void *data, RedisEnd end, const RespReply &reply);

    RedisCall() = default;
    ~RedisCall() { stop(); }
    RedisCall(const RedisCall &) = delete;
    RedisCall &operator=(const RedisCall &) = delete;

    bool waits() const { return link_ != nullptr; }
    // The answer is not told any more.
    void stop();

private:
    friend class RedisLink;

    RedisLink *link_ = nullptr;
    Done done_ = nullptr;
    void *data_ = nullptr;
};

class RedisLink {
public:
    // `epoch` names what the store remembers: another one than before means
    // that it was emptied.
    using Ready = void (*)(void *data, const std::string &epoch);

    // Connects when start() is called. Lifetime: borrows the configuration.
    RedisLink(const StoreConf &conf, Ready on_ready, void *data);
    // What waits is told nothing.
    ~RedisLink();
    RedisLink(const RedisLink &) = delete;
    RedisLink &operator=(const RedisLink &) = delete;

    void start();
    bool ready() const { return state_ == State::ready; }
    // Calls are refused at once.
    bool away() const { return away_; }
    // What was written leaves now, and not at the end of the turn.
    void flush();

    // write(RespWriter &) writes one command of at most `room` bytes. `done` is
    // called once, later, unless the call is stopped. False: the store is away,
    // and nothing was written.
    template <class Write>
    bool send(RedisCall &call, std::size_t room, Write &&write,
              RedisCall::Done done, void *data)
    {
        if (away_) {
            return false;
        }
        std::size_t begin = out_.size();
        out_.resize(begin + room);
        RespWriter writer(&out_[begin], room);
        write(writer);
        out_.resize(begin + (writer.complete() ? writer.size() : 0));
        return writer.complete() && expect(call, begin, done, data);
    }

private:
    friend class RedisCall;
    enum class State { idle, resolving, connecting, greeting, ready };

    // A command in the order of the wire.
    struct Pending {
        RedisCall *call;      // nullptr: its answer is not waited for
        std::uint64_t begin;  // its first byte, in the stream of all commands
        ngx_msec_t deadline;
    };

    bool expect(RedisCall &call, std::size_t begin, RedisCall::Done done,
                void *data);
    void forget(RedisCall *call);
    void retry();
    void connect();
    void connect_next();
    void connected();
    void ready_for(bool writes);
    void hands_shaken();
    void greet();
    void read_greeting(const RespReply &reply);
    void opened(std::string_view epoch);
    std::string end_of_connection(const char *what) const;
    bool send_bytes(const std::string &bytes, std::size_t &sent);
    void send();
    void receive();
    void dispatch(const RespReply &reply);
    void complain_of(const RespReply &reply);
    void fail(const std::string &why, bool retry);
    void end_all();
    void close();
    void complain(ngx_uint_t level, const std::string &why);
    void arm();
    void timed();
    // Whatever `body` throws, the connection is given up.
    template <class Body> void guarded_event(Body &&body)
    {
        bool done = guarded(ngx_cycle->log, false, [&] {
            body();
            return true;
        });
        if (!done) {
            guarded(ngx_cycle->log, 0, [&] {
                fail("no memory", false);
                return 0;
            });
        }
    }
    static void on_event(ngx_event_t *event);
    static void on_hands_shaken(ngx_connection_t *c);
    static void on_looked_up(void *data);

    const StoreConf &conf_;
    Ready ready_;
    void *ready_data_;
    std::unique_ptr<TlsPeer> tls_;
    std::unique_ptr<AddressBook> book_;
    std::vector<PeerAddress> addresses_;
    std::size_t next_address_ = 0;
    PeerAddress address_{};  // of the connection
    ngx_connection_t *c_ = nullptr;
    std::uint64_t opened_ = 0;  // connections so far
    State state_ = State::idle;
    bool away_ = false;
    bool was_ready_ = false;  // since the last attempt that failed
    std::string problem_;     // of this attempt, for the log
    std::string complained_;  // what was logged last
    time_t complained_at_ = 0;

    std::string hello_;  // what the connection begins with
    std::size_t hello_sent_ = 0;
    unsigned hello_step_ = 0;
    std::string epoch_;  // that this link would give an empty store
    std::string out_;    // commands that are not sent yet
    std::size_t out_sent_ = 0;
    std::uint64_t out_begin_ = 0;  // of out_, in the stream of all commands
    std::deque<Pending> pending_;
    unsigned late_ = 0;  // in a row
    std::string in_;
    std::size_t in_size_ = 0;
    RespReply reply_;
    Timer flush_;
    Timer deadline_;
    Timer retry_;
};

}  // namespace x402

#endif
