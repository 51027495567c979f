// SPDX-License-Identifier: Apache-2.0
// One call of a script of the store (src/store): what is asked, and what came
// of it.
#ifndef NGX_HTTP_X402_STORE_CALL_HPP
#define NGX_HTTP_X402_STORE_CALL_HPP

#include <optional>
#include <vector>

#include "base/spare_text.hpp"
#include "nginx/call/redis/ngx_http_x402_redis_nodes.hpp"
#include "store/store_answer.hpp"

namespace x402 {

class SharedStore;

// A call with all that it needs. Texts are owned.
struct StoreOrder {
    StoreScript script = StoreScript::take;
    StoreClaim claim;
    StoreFacts facts;  // without the texts
    SpareText record;
    SpareText settle;
    std::int64_t lease = 0;  // ms
    std::int64_t now = 0;    // unix seconds
    SettlingCall settling = SettlingCall::first;
    FinishAs finish = FinishAs::free;
    ResumeWhat what = ResumeWhat::any;
    // A payment identifier that goes with the claim; and its shard, for calls
    // about the name alone.
    std::optional<Digest> name;
    unsigned name_shard = 0;
    NameCall naming = NameCall::note;
    unsigned most_unproven = 0;
    // Of a client that comes back.
    PassCall use = PassCall::use;
    std::uint32_t requests = 0;
    AmountBytes asked{};
    std::vector<Digest> keys;  // of a query; empty: `asked` is remembered

    // Where its keys are.
    unsigned shard() const
    {
        return script == StoreScript::name ? name_shard : claim.shard;
    }
    // How it goes out if a payment waits for it: what a failover must not lose
    // is known to the replicas, too.
    RedisSend awaited(ScriptBy by) const;
    std::size_t bytes(ScriptBy by) const;
    void write(RespWriter &out, ScriptBy by) const;

private:
    StoreFacts whole_facts() const;
};

struct StoreReply {
    enum class Kind {
        answered,
        undone,    // it did not happen
        doubtful,  // it may have happened
    };
    Kind kind = Kind::undone;
    StoreAnswer answer;  // Lifetime: the call of `done`

    bool is(StoreVerdict verdict) const
    {
        return kind == Kind::answered && answer.verdict == verdict;
    }
};

// Lifetime: part of its owner; if that ends, nothing gets the answer.
class StoreCall {
public:
    using Done = void (*)(void *data, const StoreReply &reply);

    StoreCall();
    StoreCall(const StoreCall &) = delete;
    StoreCall &operator=(const StoreCall &) = delete;

    // Tells `done` once, never from inside. Precondition: it does not wait.
    // Money: an answer that is older than a lease grants nothing any more, and
    // is asked for once more.
    void begin(SharedStore &store, StoreOrder &&order, Done done, void *data);
    bool waits() const { return waits_; }
    // When the call was begun that was answered.
    ngx_msec_t asked() const { return asked_; }

private:
    void send();
    bool comes_too_late() const;
    void end(StoreReply &reply);
    static void on_answer(void *data, RedisEnd end, const RespReply &reply);

    SharedStore *store_ = nullptr;
    StoreOrder order_;
    Done done_ = nullptr;
    void *data_ = nullptr;
    bool waits_ = false;
    StoreRoute route_;
    bool repeated_ = false;
    ngx_msec_t asked_ = 0;
    std::uint64_t begun_ = 0;  // us
    RedisCall call_;
    Timer refused_;  // posted: the store is away
};

// What the reply to a call of this script comes to.
StoreReply store_reply(StoreScript script, const Digest &key, RedisEnd end,
                       const RespReply &reply);

}  // namespace x402

#endif
