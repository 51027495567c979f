// SPDX-License-Identifier: Apache-2.0
// One class, and so longer than other files: calls to the store, whether it
// was emptied (its epoch: a name of what it remembers, which the first worker
// gave it, one for each shard of a cluster), what becomes of a claim here and
// there, and its part of x402_status.
#include "nginx/worker/ngx_http_x402_shared_store.hpp"

#include <algorithm>
#include <utility>

#include "base/hex_codec.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/core/ngx_http_x402_random_pool.hpp"
#include "nginx/worker/ngx_http_x402_settlement.hpp"
#include "nginx/worker/ngx_http_x402_worker.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kTick = 1000;
// Shards whose epoch is asked for in a tick: all of them in some seconds.
constexpr unsigned kShardsOfTick = kStoreShards / 4;
// Writes are repeated after a reconnect for this long: a failover may
// have lost them.
constexpr ngx_msec_t kRepeatFor = 60 * 1000;
// A worker that quits continues to write for this long.
constexpr ngx_msec_t kLongestLinger = 30 * 1000;

// Money: without random bytes a token still has to be another than that of any
// machine; it need not be a secret.
StoreToken unlike_others()
{
    static std::uint64_t count;
    std::string hostname(
        reinterpret_cast<const char *>(ngx_cycle->hostname.data),
        ngx_cycle->hostname.len);
    Digest digest = sha256(hostname + ' ' + std::to_string(ngx_pid) + ' '
                           + std::to_string(ngx_time()) + ' '
                           + std::to_string(ngx_current_msec) + ' '
                           + std::to_string(++count));
    StoreToken token;
    std::copy_n(digest.begin(), token.size(), token.begin());
    return token;
}

FinishAs finish_of(ClaimChange change)
{
    switch (change) {
    case ClaimChange::delivered:
        return FinishAs::delivered;
    case ClaimChange::owed:
        return FinishAs::owed;
    case ClaimChange::refused:
        return FinishAs::refused;
    case ClaimChange::unknown:
        return FinishAs::unknown;
    default:
        return FinishAs::free;
    }
}

// Of a pass: that it was sold.
bool issues(const StoreOrder &order)
{
    return order.script == StoreScript::pass && order.use == PassCall::issue;
}

// Money: what a client may ask another machine about as soon as it has its
// answer. It is on its way before that.
bool precedes_answer(const StoreOrder &order)
{
    bool finished = order.script == StoreScript::finish
                    && (order.finish == FinishAs::unknown
                        || order.finish == FinishAs::owed);
    return finished || issues(order) || order.script == StoreScript::bought;
}

bool ends_hold(ClaimChange change)
{
    return change == ClaimChange::free || change == ClaimChange::abandoned
           || finish_of(change) != FinishAs::free;
}

StoreOutcome outcome_of(const StoreReply &reply)
{
    switch (reply.kind) {
    case StoreReply::Kind::doubtful:
        return StoreOutcome::doubtful;
    case StoreReply::Kind::undone:
        return reply.answer.verdict == StoreVerdict::error ? StoreOutcome::error
                                                           : StoreOutcome::away;
    default:
        break;
    }
    switch (reply.answer.verdict) {
    case StoreVerdict::held:
    case StoreVerdict::lost:
    case StoreVerdict::name_taken:
        return StoreOutcome::elsewhere;
    default:
        return StoreOutcome::granted;
    }
}

}  // namespace

StoreToken new_store_token()
{
    static RandomPool pool;
    StoreToken token;
    static_assert(sizeof(token) == RandomPool::kPiece);
    const u_char *random = pool.take();
    if (random == nullptr) {
        return unlike_others();
    }
    std::copy_n(random, token.size(), token.begin());
    return token;
}

struct SharedStore::PendingWrite {
    PendingWrite(SharedStore &its_store, StoreOrder its_order)
        : store(its_store), order(std::move(its_order))
    {
    }

    SharedStore &store;
    StoreOrder order;
    RedisCall call;
    StoreRoute route;
    bool known = false;  // the store has said so
    bool keeps = true;   // for a minute after that
    ngx_msec_t at = ngx_current_msec;
};

StoreHold::StoreHold(SharedStore &store, const Digest &key, const Digest &payer,
                     const Digest &resource)
    : StoreHold(store, key, store_shard(payer))
{
    payer_ = payer;
    resource_ = resource;
}

StoreHold::StoreHold(SharedStore &store, const Digest &key, unsigned shard)
    : store_(store), granted_(ngx_current_msec), renewed_(ngx_current_msec)
{
    claim_.prefix = store.conf().prefix;
    claim_.shard = shard;
    claim_.key = key;
    claim_.token = new_store_token();
    link_.hold = this;
    ngx_queue_insert_tail(&store.holds_, &link_.queue);
}

StoreHold::~StoreHold()
{
    ngx_queue_remove(&link_.queue);
}

void StoreHold::set_name(const PaymentName &name)
{
    name_ = name.id;
    name_shard_ = store_shard(name.payer);
}

StoreOrder StoreHold::name_order(NameCall naming, std::int64_t expires) const
{
    StoreOrder made = order(StoreScript::name);
    made.facts.expires = expires;
    made.name = name_;
    made.name_shard = name_shard_;
    made.naming = naming;
    return made;
}

bool StoreHold::is_sure() const
{
    auto age = static_cast<std::int64_t>(ngx_current_msec - granted_);
    return !lost_ && age < store_.lease();
}

StoreOrder StoreHold::order(StoreScript script) const
{
    StoreOrder order;
    order.script = script;
    order.claim = claim_;
    order.facts.payer = payer_;
    order.facts.resource = resource_;
    order.lease = store_.lease();
    // Keys of one script lie in one shard.
    if (name_ && name_shard_ == claim_.shard) {
        order.name = name_;
    }
    order.now = ngx_time();
    return order;
}

StoreOrder StoreHold::order(StoreScript script,
                            const JournalRecord &record) const
{
    StoreOrder made = order(script);
    made.facts.expires = record.expires;
    made.facts.flags = record.flags;
    made.facts.executions = record.executions;
    write_store_record(record, made.record.empty());
    return made;
}

SharedStore::SharedStore(Worker &worker, const StoreConf &conf)
    : worker_(worker),
      conf_(conf),
      nodes_(conf,
             {[](void *store, std::uint64_t shards, const std::string &epoch) {
                  static_cast<SharedStore *>(store)->again(shards, epoch);
              },
              this}),
      tick_(
          AtQuit::cancel,
          [](void *store) { static_cast<SharedStore *>(store)->tick(); }, this),
      linger_(
          AtQuit::wait,
          [](void *store) { static_cast<SharedStore *>(store)->linger(); },
          this)
{
    ngx_queue_init(&holds_);
    if (nodes_.clustered()) {
        epochs_ = std::make_unique<Epoch[]>(kStoreShards);
    }
    tick_.arm(kTick);
    nodes_.start();
}

// The worker ends: what it had still to say leaves now, if it can.
SharedStore::~SharedStore()
{
    send_unconfirmed();
    nodes_.flush();
    if (StatusCounters *counters = worker_.books.counters()) {
        counters->store().clear_state();
    }
}

// A failover, or a restart, may have lost writes of these shards.
void SharedStore::again(std::uint64_t shards, const std::string &epoch)
{
    came_back_ = ngx_current_msec;
    bool told = told_ != 0 && ngx_current_msec - told_ < kRepeatFor;
    forgotten_ |= told ? shards : 0;
    bool emptied = !epoch.empty() && learn_epoch(epoch_, epoch, shards);
    repeat_writes(shards, false);
    if (emptied) {
        forget_sales(shards);
    } else if (!epochs_) {
        repeat_writes(shards, true);
    }
    for (Settlement *settlement : worker_.settlements) {
        settlement->write_again();
    }
    for (unsigned shard = 0; epochs_ && shard < kStoreShards; shard++) {
        if (shards >> shard & 1) {
            // Money: what a node says that was asked before says nothing of
            // the one that has the shard now.
            epochs_[shard].call.stop();
            epochs_[shard].route = StoreRoute();
            epochs_[shard].came_back = true;
            ask_for_epoch(shard);
        }
    }
    send_unconfirmed();
}

// Money: that a pass was sold (`issued`) is repeated only if the store has lost
// no more than its last writes. See forget_sales().
void SharedStore::repeat_writes(std::uint64_t shards, bool issued)
{
    for (PendingWrite &write : pending_) {
        if (write.known && issues(write.order) == issued
            && (shards >> write.order.shard() & 1)) {
            write.known = false;
            unconfirmed_++;
        }
    }
}

// Money: an emptied store would count from the beginning again what was used
// long ago. It is not told of these sales with a later connection either.
void SharedStore::forget_sales(std::uint64_t shards)
{
    pending_.remove_if([&](const PendingWrite &write) {
        return write.known && issues(write.order)
               && (shards >> write.order.shard() & 1);
    });
}

void SharedStore::write_behind(StoreOrder order)
{
    add(std::move(order), true);
}

void SharedStore::tell(StoreOrder order)
{
    told_ = ngx_current_msec;
    add(std::move(order), false);
}

void SharedStore::add(StoreOrder order, bool keeps)
{
    PendingWrite &write = pending_.emplace_back(*this, std::move(order));
    write.keeps = keeps;
    unconfirmed_++;
    if (nodes_.ready(write.order.shard())) {
        send(write);
        if (precedes_answer(write.order)) {
            nodes_.push();
        }
    }
    if (!linger_.armed()) {
        linger_.arm(kTick);
    }
    forget_old();
}

// Does not wait for replicas: what has happened is written in any case.
void SharedStore::send(PendingWrite &write)
{
    if (write.call.waits()) {
        return;
    }
    RedisSend how;
    how.room = write.order.bytes(write.route.by);
    // What is delivered waits for company. Of the rest another machine may be
    // waiting to hear.
    how.lazy = write.order.script == StoreScript::finish
               && write.order.finish == FinishAs::delivered;
    (void)nodes_.send(
        write.call, write.route, write.order.shard(), how,
        [&](RespWriter &out) { write.order.write(out, write.route.by); },
        on_store_reply, &write);
}

void SharedStore::send_unconfirmed()
{
    for (PendingWrite &write : pending_) {
        if (!write.known && !write.call.waits()
            && nodes_.ready(write.order.shard())) {
            write.route = StoreRoute();
            send(write);
        }
    }
}

void SharedStore::on_store_reply(void *data, RedisEnd end,
                                 const RespReply &reply)
{
    auto &write = *static_cast<PendingWrite *>(data);
    SharedStore &store = write.store;
    if (store.nodes_.goes_on(write.route, write.order.shard(), end, reply)) {
        store.send(write);
        return;
    }
    write.route = StoreRoute();
    StoreReply made =
        store_reply(write.order.script, write.order.claim.key, end, reply);
    store.count(write.order.script, made);
    if (made.kind == StoreReply::Kind::answered) {
        write.known = true;
        store.unconfirmed_--;
    }
}

void SharedStore::forget_old()
{
    while (!pending_.empty()) {
        PendingWrite &oldest = pending_.front();
        bool crowded = pending_.size() > kMostPending;
        if (!crowded
            && !(oldest.known && ngx_current_msec - oldest.at > kRepeatFor)) {
            return;
        }
        if (!oldest.known) {
            unconfirmed_--;
            if (!complained_) {
                complained_ = true;
                log_line(
                    NGX_LOG_CRIT, ngx_cycle->log,
                    "the store has been unreachable for too long, and will not "
                    "learn the outcome of some payments: other machines may "
                    "deliver their content once more; bring the store back");
            }
        }
        pending_.pop_front();
    }
}

void SharedStore::tick()
{
    tick_.arm(kTick);
    if (nodes_.ready()) {
        complained_ = false;
        send_unconfirmed();
        renew_leases();
    }
    // A question would hold up a worker that quits until its deadline.
    if (!ngx_exiting) {
        look_at_epochs();
    }
    pending_.remove_if(
        [](const PendingWrite &write) { return write.known && !write.keeps; });
    forget_old();
    publish();
}

// Of a cluster; a single server is asked by its link. Money: a node that is
// emptied closes no connection.
void SharedStore::look_at_epochs()
{
    for (unsigned i = 0; epochs_ && i < kShardsOfTick; i++) {
        next_epoch_ = (next_epoch_ + 1) % kStoreShards;
        if (nodes_.ready(next_epoch_) && !epochs_[next_epoch_].call.waits()) {
            epochs_[next_epoch_].route = StoreRoute();
            ask_for_epoch(next_epoch_);
        }
    }
}

void SharedStore::linger()
{
    if (unconfirmed_ == 0) {
        leaving_since_ = 0;  // the store may go away once more
        return;
    }
    if (!ngx_exiting) {
        linger_.arm(kTick);
        return;
    }
    if (leaving_since_ == 0) {
        leaving_since_ = ngx_current_msec;
    }
    send_unconfirmed();
    if (ngx_current_msec - leaving_since_ < kLongestLinger) {
        linger_.arm(kTick);
    }
}

void SharedStore::renew_leases()
{
    auto third = static_cast<ngx_msec_t>(conf_.lease / 3);
    for (ngx_queue_t *link = ngx_queue_head(&holds_);
         link != ngx_queue_sentinel(&holds_); link = ngx_queue_next(link)) {
        auto *held = ngx_queue_data(link, StoreHold::Link, queue);
        StoreHold &hold = *held->hold;
        if (hold.over_ || hold.renew_.waits()
            || ngx_current_msec - hold.renewed_ < third) {
            continue;
        }
        hold.renewed_ = ngx_current_msec;
        hold.renew_route_ = StoreRoute();
        renew(hold);
    }
}

void SharedStore::renew(StoreHold &hold)
{
    StoreOrder order = hold.order(StoreScript::renew);
    ScriptBy by = hold.renew_route_.by;
    RedisSend how;
    how.room = order.bytes(by);
    (void)nodes_.send(
        hold.renew_, hold.renew_route_, order.shard(), how,
        [&](RespWriter &out) { order.write(out, by); }, on_renewed, &hold);
}

// Money: SETTLING and PAID need the token, too; content that needs neither of
// them any more is kept back if the claim is lost.
void SharedStore::on_renewed(void *data, RedisEnd end, const RespReply &reply)
{
    auto &hold = *static_cast<StoreHold *>(data);
    SharedStore &store = hold.store_;
    if (store.nodes_.goes_on(hold.renew_route_, hold.claim_.shard, end,
                             reply)) {
        store.renew(hold);
        return;
    }
    StoreReply made =
        store_reply(StoreScript::renew, hold.claim_.key, end, reply);
    store.count(StoreScript::renew, made);
    if (made.is(StoreVerdict::done)) {
        hold.grant(hold.renewed_);
    } else if (made.is(StoreVerdict::lost)) {
        hold.lost_ = true;
    }
}

bool SharedStore::learn_epoch(std::string &known, std::string_view epoch,
                              std::uint64_t shards)
{
    bool another = !known.empty() && known != epoch;
    forgotten_ |= another || known.empty() ? shards : 0;
    if (another) {
        log_line(NGX_LOG_CRIT, ngx_cycle->log,
                 "store \"" + conf_.url.base()
                     + "\" was emptied, or is another one: this worker writes "
                       "again what it knows of payments; find out why, and let "
                       "the store keep its data (appendonly yes)");
    }
    known = epoch;
    return another;
}

// The first question to each shard of a cluster, and so the one that learns
// where it is.
void SharedStore::ask_for_epoch(unsigned shard)
{
    Epoch &epoch = epochs_[shard];
    if (epoch.call.waits()) {
        return;
    }
    epoch.store = this;
    StoreToken random;
    if (!fill_random(random.data(), random.size())) {
        return;
    }
    epoch.offered = hex_encode(random.data(), random.size());
    std::string key = conf_.prefix + ":{" + std::to_string(shard) + "}:epoch";
    RedisSend how;
    how.room = kRespCommandBytes + 5 * resp_argument_bytes(key.size())
               + resp_argument_bytes(epoch.offered.size());
    (void)nodes_.send(
        epoch.call, epoch.route, shard, how,
        [&](RespWriter &out) {
            out.begin(5).add("SET").add(key).add(epoch.offered);
            out.add("NX").add("GET");
        },
        on_epoch, &epoch);
}

void SharedStore::on_epoch(void *data, RedisEnd end, const RespReply &reply)
{
    auto &epoch = *static_cast<Epoch *>(data);
    SharedStore &store = *epoch.store;
    auto shard = static_cast<unsigned>(&epoch - store.epochs_.get());
    if (store.nodes_.goes_on(epoch.route, shard, end, reply)) {
        store.ask_for_epoch(shard);
        return;
    }
    if (end != RedisEnd::answered || reply.is_error()) {
        return;
    }
    const RespItem &root = reply.root();
    bool had_one = root.type == RespType::bytes;
    bool came_back = std::exchange(epoch.came_back, false);
    std::uint64_t shards = std::uint64_t{1} << shard;
    if (store.learn_epoch(epoch.known, had_one ? root.text : epoch.offered,
                          shards)) {
        store.forget_sales(shards);
        store.again(shards, {});
        epoch.came_back = false;  // it has lost more than its last writes
    } else if (came_back) {
        store.repeat_writes(shards, true);
        store.send_unconfirmed();
    }
}

void SharedStore::change_claim(ngx_shm_zone_t *zone, StoreHold *hold,
                               ClaimRef claim, ClaimChange change)
{
    if (hold == nullptr || hold->over() || !ends_hold(change)) {
        apply_claim_change(zone, claim, change);
        return;
    }
    FinishAs how = finish_of(change);
    JournalRecord record;
    // Money: the local claim changes, whatever memory is refused for.
    bool known = guarded(ngx_cycle->log, false, [&] {
        record = LockedClaims(zone)->record(claim, RecordPart::numbers);
        return true;
    });
    apply_claim_change(zone, claim, change);
    guarded(ngx_cycle->log, 0, [&] {
        bool keeps = how == FinishAs::unknown || how == FinishAs::owed;
        if (keeps) {
            record = LockedClaims(zone)->record(claim);
        }
        // Money: of a claim that is not this machine's, as while it is asked
        // for, nothing is known that could be written; its lease ends.
        if (!known || record.key != hold->claim().key) {
            hold->end();
            return 0;
        }
        // What is over needs no record, which takes a digest to make.
        StoreOrder order = keeps ? hold->order(StoreScript::finish, record)
                                 : hold->order(StoreScript::finish);
        order.finish = how;
        if (keeps) {
            order.settle = std::move(record.settle);
        } else {
            order.facts.expires = record.expires;
            order.facts.flags = record.flags;
            order.facts.executions = record.executions;
        }
        hold->end();
        hold->store().write_behind(std::move(order));
        bool nothing = how == FinishAs::free || how == FinishAs::refused;
        if (nothing && hold->name_ && hold->name_shard_ != hold->claim_.shard) {
            hold->store().write_behind(
                hold->name_order(NameCall::forget, ngx_time()));
        }
        return 0;
    });
}

static_assert(kStoreCalls == kStoreScripts);

void SharedStore::count(StoreScript script, const StoreReply &reply)
{
    if (StatusCounters *counters = worker_.books.counters()) {
        counters->store().count(static_cast<std::size_t>(script),
                                outcome_of(reply));
    }
}

void SharedStore::count_wait(std::uint64_t us)
{
    if (StatusCounters *counters = worker_.books.counters()) {
        counters->store().count_wait(us);
    }
}

void SharedStore::publish()
{
    if (StatusCounters *counters = worker_.books.counters()) {
        counters->store().set_state(nodes_.whole(), unconfirmed_);
    }
}

void SharedStore::count_due(RedisEnd end, StoreVerdict verdict)
{
    StoreReply reply;
    reply.answer.verdict = verdict;
    if (end != RedisEnd::unsent) {
        reply.kind = verdict == StoreVerdict::done ? StoreReply::Kind::answered
                                                   : StoreReply::Kind::doubtful;
    }
    count(StoreScript::due, reply);
}

}  // namespace x402
