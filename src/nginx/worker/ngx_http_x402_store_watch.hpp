// SPDX-License-Identifier: Apache-2.0
// Unknown outcomes of several machines: which one asks about them. The store
// gives a claim to one worker of one machine at a time (RESUME), be it a claim
// that this machine knows, or one of a machine that died (DUE). SettleRetry
// asks the facilitator.
#ifndef NGX_HTTP_X402_STORE_WATCH_HPP
#define NGX_HTTP_X402_STORE_WATCH_HPP

#include <list>
#include <memory>

#include "nginx/worker/ngx_http_x402_settle_retry.hpp"
#include "nginx/worker/ngx_http_x402_shared_store.hpp"

namespace x402 {

class StoreWatch {
public:
    // `polls`: this worker looks in the store for claims that are due, of all
    // machines. Lifetime: part of the worker, as `retry`.
    StoreWatch(Worker &worker, SettleRetry &retry, bool polls);
    ~StoreWatch();
    StoreWatch(const StoreWatch &) = delete;
    StoreWatch &operator=(const StoreWatch &) = delete;

    // A claim of this machine that is due, in the hands of this worker: it is
    // asked about if the store gives it, and else given back.
    void take(ClaimRef claim);
    // One whose payment has expired: reported if no other machine does.
    void close(ClaimRef claim);
    std::size_t running() const { return jobs_.size(); }

private:
    struct Job;
    enum class Kind { own_due, own_closed, found };

    void start(Kind kind, ClaimRef claim, const Digest &key, unsigned shard);
    void answered(Job &job, const StoreReply &reply);
    void own_due(Job &job, const StoreReply &reply);
    void own_closed(Job &job, const StoreReply &reply);
    void found(Job &job, const StoreReply &reply);
    void write_paid(Job &job, const JournalRecord &record);
    void ask(Job &job, ClaimRef claim, const JournalRecord &record);
    void learn(ClaimRef claim, const StoredClaim &stored);
    void poll();
    void ask_for_due(unsigned shard);
    void read_due_of(unsigned shard, RedisEnd end, const RespReply &reply);
    static void on_answer(void *data, const StoreReply &reply);

    struct Shard {
        StoreWatch *watch = nullptr;
        RedisCall call;
        StoreRoute route;
    };

    Worker &worker_;
    SettleRetry &retry_;
    std::list<std::unique_ptr<Job>> jobs_;
    std::unique_ptr<Shard[]> shards_;  // nullptr: does not poll
    Timer poll_;
};

}  // namespace x402

#endif
