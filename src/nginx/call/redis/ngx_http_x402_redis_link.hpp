// SPDX-License-Identifier: Apache-2.0
// One connection of a worker to a server of the store: opened, checked, and
// opened again; commands go out together at the end of a turn of the event
// loop, and answers come in their order.
//
// While it is open, what it was checked for is checked again every few seconds:
// an operator may change or empty a server that runs.
//
// Nothing blocks. A connection that breaks is opened again at once. If that
// fails, or after three answers in a row that did not come in time, the server
// counts as away: calls are refused at once, and every second a connection is
// tried. Knows nothing of payments.
//
// With replicas= one WAIT goes behind the commands of each write that ask for
// it. Callers get their answers when the replicas have the writes. WAIT holds
// up what is sent behind it on the same connection, which is then the next
// write: so a connection has at most one write of this kind on its way to the
// replicas, and commands gather in the meantime.
#ifndef NGX_HTTP_X402_REDIS_LINK_HPP
#define NGX_HTTP_X402_REDIS_LINK_HPP

#include <memory>
#include <string>

#include "base/out_bytes.hpp"
#include "base/ring_queue.hpp"
#include "base/secret_memory.hpp"
#include "nginx/call/ngx_http_x402_lookup.hpp"
#include "nginx/call/ngx_http_x402_peer_socket.hpp"
#include "nginx/call/redis/ngx_http_x402_store_conf.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/core/ngx_http_x402_timer.hpp"
#include "store/resp_reader.hpp"
#include "store/resp_writer.hpp"

namespace x402 {

class RedisLink;
class SentinelQuery;

enum class RedisEnd : std::uint8_t {
    answered,  // the reply may still be an error
    unsent,    // no byte of it left this machine
    lost,      // the connection broke; the store may have done it
    late,      // no answer in time; the store may have done it
    // Answered, but fewer replicas than replicas= have what it wrote.
    unreplicated,
};

// A command that waits for its answer. Lifetime: part of its owner; if that
// ends, the command goes on without it.
class RedisCall {
public:
    // `reply` is valid for the call if it was answered, or is unreplicated, and
    // empty otherwise.
    using Done = void (*)(void *data, RedisEnd end, const RespReply &reply);

    RedisCall() = default;
    ~RedisCall() { stop(); }
    RedisCall(const RedisCall &) = delete;
    RedisCall &operator=(const RedisCall &) = delete;

    bool waits() const { return link_ != nullptr; }
    // The caller gets no answer any more.
    void stop();

private:
    friend class RedisLink;

    RedisLink *link_ = nullptr;
    Done done_ = nullptr;
    void *data_ = nullptr;
};

enum class RedisRole : std::uint8_t {
    store,     // all shards, or the master that sentinels report
    node,      // of a cluster
    sentinel,  // asked once in a while, and left again
};

// Which server a link is for.
struct RedisServer {
    RedisRole role = RedisRole::store;
    StorePlace place;
    std::vector<std::string> addresses;  // empty: they are looked up
};

// How a command goes out.
struct RedisSend {
    std::size_t room = 0;     // bytes that it needs at most
    bool replicated = false;  // its answer waits for replicas=
    bool asking = false;      // to a node that is only just getting the slot
    // No payment waits for it: it goes with the next write, or in a few
    // milliseconds, which saves a write and a wake-up.
    bool lazy = false;
};

class RedisLink {
public:
    struct Events {
        // It can be used. `epoch` names what the store remembers: another one
        // than before means that it was emptied. Empty: this server has none.
        void (*ready)(void *data, RedisLink &link, const std::string &epoch);
        // It counts as away from now on.
        void (*down)(void *data, RedisLink &link);
        void *data;
    };

    // Connects when start() is called. Lifetime: borrows the configuration.
    RedisLink(const StoreConf &conf, RedisServer server, Events events);
    // Calls that wait get no answer.
    ~RedisLink();
    RedisLink(const RedisLink &) = delete;
    RedisLink &operator=(const RedisLink &) = delete;

    void start();
    // The opposite: it disconnects, and calls that wait get no answer.
    void rest();
    bool resting() const { return resting_; }
    bool ready() const { return state_ == State::ready; }
    // Calls are refused at once.
    bool away() const { return away_; }
    // Calls that ask for replicas are refused at once.
    bool lacks_replicas() const { return lacks_replicas_; }
    // Nothing is on its way.
    bool idle() const { return pending_.empty(); }
    const StorePlace &place() const { return server_.place; }
    // What was written leaves now, and not at the end of the turn.
    void flush();
    // The same as far as the kernel takes it at once. Tells no caller anything,
    // so that it may be called while one is told.
    void push();
    // For the log; the same is said once a minute.
    void log_failure(ngx_uint_t level, const std::string &why);

    // write(RespWriter &) writes one command. `done` is called once, later,
    // unless the call is stopped. False: the store is away, or has not the
    // replicas, and nothing was written.
    template <class Write>
    bool send(RedisCall &call, const RedisSend &how, Write &&write,
              RedisCall::Done done, void *data)
    {
        if (away_ || (how.replicated && lacks_replicas_)) {
            return false;
        }
        if (how.asking) {
            add_asking();
        }
        std::size_t begin = out_.size();
        RespWriter writer(out_.room(how.room), how.room);
        write(writer);
        if (!writer.complete()) {
            return false;
        }
        expect(call, begin, how, done, data);
        out_.add(writer.size());
        return true;
    }

private:
    friend class RedisCall;
    enum class State { idle, resolving, connecting, greeting, ready };
    enum class Step : std::uint8_t { auth, select, info, epoch };
    enum class Kind : std::uint8_t { plain, replicated, wait, info, epoch };

    // A command in the order of the wire.
    struct Pending {
        RedisCall *call;      // nullptr: its answer is not waited for
        std::uint64_t begin;  // its first byte, in the stream of all commands
        ngx_msec_t deadline;
        Kind kind;
        // Of a replicated one, until the replicas have it: in held_.
        std::size_t answer_at;
        std::size_t answer_size;
    };

    void expect(RedisCall &call, std::size_t begin, const RedisSend &how,
                RedisCall::Done done, void *data);
    // A command of the link's own.
    template <class Write>
    void add_own(Kind kind, std::size_t room, Write &&write)
    {
        RespWriter writer(out_.room(room), room);
        write(writer);
        pending_.push_back({nullptr, out_begin_ + out_.size(), 0, kind, 0, 0});
        out_.add(writer.size());
    }
    void add_asking();
    void add_wait(ngx_msec_t timeout);
    void forget(RedisCall *call);
    void let_go();
    void retry();
    void connect();
    void connect_to_server();
    void found_master(const StorePlace *place, const std::string &problem);
    void use(const StorePlace &place, std::vector<std::string> addresses);
    void connect_next();
    void connected();
    void ready_for(bool writes);
    void handshake_done();
    void greet();
    bool write_greeting();
    void read_greeting(const RespReply &reply);
    void opened(std::string_view epoch);
    bool offer_epoch();
    void write_epoch(RespWriter &writer) const;
    const std::string &epoch_of(const RespItem &answer);
    void check_again();
    void checked(Kind kind, const RespReply &reply);
    std::string end_of_connection(const char *what) const;
    std::string label() const;
    bool send_bytes(std::string_view bytes, std::size_t &sent);
    void send();
    void receive();
    void dispatch(const RespReply &reply, std::string_view bytes);
    static void report(RedisCall *call, RedisEnd end, const RespReply &reply);
    void replicas_answered(const RespReply &reply);
    void look_for_replicas();
    void complain_of(const RespReply &reply);
    static std::string told_as(const RespReply &error);
    void fail(const std::string &why, bool retry);
    bool may_connect_at_once();
    void end_all();
    void close();
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
    static void on_handshake_done(ngx_connection_t *c);
    static void on_looked_up(void *data);

    const StoreConf &conf_;
    const StoreLogin &login_;
    RedisServer server_;
    Events events_;
    unsigned replicas_;  // that have to have what is replicated
    std::unique_ptr<SentinelQuery> sentinels_;
    std::unique_ptr<TlsPeer> tls_;
    std::unique_ptr<AddressBook> book_;
    std::vector<PeerAddress> addresses_;
    std::size_t next_address_ = 0;
    PeerAddress address_{};  // of the connection
    ngx_connection_t *c_ = nullptr;
    std::uint64_t opened_ = 0;  // connections so far
    State state_ = State::idle;
    bool resting_ = true;
    bool away_ = false;
    bool was_ready_ = false;  // since the last attempt that failed
    unsigned quick_ = 0;      // connected at once so often since then:
    ngx_msec_t quick_since_ = 0;
    bool lacks_replicas_ = false;
    bool wait_due_ = false;   // something replicated has no WAIT behind it yet
    std::string problem_;     // of this attempt, for the log
    std::string complained_;  // what was logged last
    LogThrottle failure_log_{60};

    SecretText hello_;  // what the connection begins with
    std::size_t hello_sent_ = 0;
    std::vector<Step> steps_;  // of it, that are not answered yet; last first
    std::string epoch_;        // of the store
    std::string offered_;      // epoch, if the store has none
    OutBytes out_;             // commands that are not sent yet
    std::size_t out_sent_ = 0;
    std::uint64_t out_begin_ = 0;  // of out_, in the stream of all commands
    RingQueue<Pending> pending_;
    std::size_t answered_ = 0;  // of them, at the front: wait for the replicas
    std::string held_;          // their answers
    unsigned late_ = 0;         // in a row
    std::string in_;
    std::size_t in_size_ = 0;
    RespReply reply_;
    Timer flush_;
    Timer deadline_;
    Timer retry_;
    Timer replicas_probe_;
    Timer check_;
};

}  // namespace x402

#endif
