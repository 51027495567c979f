// SPDX-License-Identifier: Apache-2.0
// The memory that several machines share (x402_store), as one worker sees it:
// its connection, what it holds there, and its unconfirmed writes.
//
// The zone stays in front: the store is asked for what this machine alone
// cannot know, at three moments that a payment waits for (TAKE, SETTLING,
// PAID); the rest is written after the request. Such a write is repeated
// until the store has confirmed it, and once more after each
// reconnect, because a failover may have lost it.
#ifndef NGX_HTTP_X402_SHARED_STORE_HPP
#define NGX_HTTP_X402_SHARED_STORE_HPP

#include <list>
#include <memory>
#include <utility>

#include "base/spare_blocks.hpp"
#include "nginx/worker/ngx_http_x402_store_call.hpp"
#include "nginx/zone/ngx_http_x402_zone.hpp"
#include "session/payment_name.hpp"

namespace x402 {

class SharedStore;
struct Worker;

// Names one taking or use: another than that of any machine.
StoreToken new_store_token();

// A claim in the hands of this worker, as the store knows it by its token.
// While it lives and is not over, its lease is renewed.
class StoreHold {
public:
    StoreHold(SharedStore &store, const Digest &key, const Digest &payer,
              const Digest &resource);
    // One that was found in the store: payer and resource come with learn().
    StoreHold(SharedStore &store, const Digest &key, unsigned shard);
    ~StoreHold();
    StoreHold(const StoreHold &) = delete;
    StoreHold &operator=(const StoreHold &) = delete;

    SharedStore &store() const { return store_; }
    const StoreClaim &claim() const { return claim_; }
    // Another machine has the claim, or it was finished: no more writes.
    void end() { over_ = true; }
    void learn(const JournalRecord &record)
    {
        payer_ = record.payer;
        resource_ = record.binding.resource;
    }
    bool over() const { return over_; }
    // The payment has this identifier: what becomes of the claim becomes of
    // its name.
    void set_name(const PaymentName &name);
    // NAME, about that identifier. `expires`: unix seconds.
    StoreOrder name_order(NameCall naming, std::int64_t expires) const;
    // Others leave the claim alone for a lease from `asked` on, when the call
    // was begun that the store has granted.
    void grant(ngx_msec_t asked) { granted_ = asked; }
    // Money: whether the claim is still this worker's, as far as it can know
    // without a question: a worker that stood still, or was cut off from the
    // store, for longer than a lease may have lost it.
    bool is_sure() const;

    // An order about this claim, with what is known of it here.
    StoreOrder order(StoreScript script) const;
    StoreOrder order(StoreScript script, const JournalRecord &record) const;

private:
    friend class SharedStore;

    SharedStore &store_;
    StoreClaim claim_;
    Digest payer_{};
    Digest resource_{};
    std::optional<Digest> name_;
    unsigned name_shard_ = 0;
    bool over_ = false;
    bool lost_ = false;  // the store has said so
    ngx_msec_t granted_;
    ngx_msec_t renewed_;
    RedisCall renew_;
    StoreRoute renew_route_;
    struct Link {
        ngx_queue_t queue;
        StoreHold *hold;
    } link_;
};

class SharedStore {
public:
    // Lifetime: borrows both.
    SharedStore(Worker &worker, const StoreConf &conf);
    ~SharedStore();
    SharedStore(const SharedStore &) = delete;
    SharedStore &operator=(const SharedStore &) = delete;

    RedisNodes &nodes() { return nodes_; }
    const StoreConf &conf() const { return conf_; }
    std::int64_t lease() const { return conf_.lease; }
    // For x402_status.
    void count(StoreScript script, const StoreReply &reply);
    void count_due(RedisEnd end, StoreVerdict verdict);
    void count_wait(std::uint64_t us);

    // Written without the caller waiting, until the store confirms. Orders
    // about one claim stay in order.
    void write_behind(StoreOrder order);
    // The same for what the zone knows anyway: it is not kept for a minute, so
    // that it takes no room from what requests have written. Where a failover
    // may have lost it, take_forgotten() says so.
    void tell(StoreOrder order);
    // Changes the local claim and, without the caller waiting, the store's.
    // `hold`: nullptr or over: of the local one alone.
    static void change_claim(ngx_shm_zone_t *zone, StoreHold *hold,
                             ClaimRef claim, ClaimChange change);
    // Shards (a bit each) that were found empty, or for the first time, or may
    // have lost what they were told, since the last call.
    std::uint64_t take_forgotten() { return std::exchange(forgotten_, 0); }
    // For tell(): requests come first.
    bool has_room() const { return unconfirmed_ < kMostPending / 16; }
    // Other machines may not have reached it yet since then.
    bool came_back_within(ngx_msec_t time) const
    {
        return ngx_current_msec - came_back_ < time;
    }

private:
    friend class StoreHold;
    // Written after a request. More than these are not remembered.
    struct PendingWrite;
    static constexpr std::size_t kMostPending = 16 * 1024;

    void add(StoreOrder order, bool keeps);
    void again(std::uint64_t shards, const std::string &epoch);
    void repeat_writes(std::uint64_t shards, bool issued);
    void forget_sales(std::uint64_t shards);
    // Of these shards. True: it knew another one.
    bool learn_epoch(std::string &known, std::string_view epoch,
                     std::uint64_t shards);
    void ask_for_epoch(unsigned shard);
    void look_at_epochs();
    static void on_epoch(void *data, RedisEnd end, const RespReply &reply);
    void send(PendingWrite &write);
    void send_unconfirmed();
    void renew(StoreHold &hold);
    void tick();
    void publish();
    void linger();
    void renew_leases();
    static void on_renewed(void *data, RedisEnd end, const RespReply &reply);
    void forget_old();
    static void on_store_reply(void *data, RedisEnd end,
                               const RespReply &reply);

    Worker &worker_;
    const StoreConf &conf_;
    std::string epoch_;
    std::uint64_t forgotten_ = 0;
    ngx_msec_t told_ = 0;  // when something was told
    // Of a cluster, shard by shard.
    struct Epoch {
        SharedStore *store = nullptr;
        RedisCall call;
        StoreRoute route;
        std::string offered;
        std::string known;
        bool came_back = false;  // and has not said its epoch since
    };
    std::unique_ptr<Epoch[]> epochs_;
    unsigned next_epoch_ = 0;  // shard that was asked last
    ngx_queue_t holds_;
    std::list<PendingWrite, SpareAllocator<PendingWrite, kMostPending>>
        pending_;
    std::size_t unconfirmed_ =
        0;  // of them: the store has not said that it knows
    bool complained_ = false;
    ngx_msec_t leaving_since_ = 0;
    ngx_msec_t came_back_ = 0;
    RedisNodes nodes_;
    Timer tick_;
    Timer linger_;  // a worker that quits stays for unconfirmed writes
};

}  // namespace x402

#endif
