// SPDX-License-Identifier: Apache-2.0
#include "nginx/worker/ngx_http_x402_store_watch.hpp"

#include <algorithm>

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/worker/ngx_http_x402_worker.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kPollInterval = 1000;

}  // namespace

struct StoreWatch::Job {
    Job(StoreWatch &its_watch, Kind its_kind, ClaimRef its_claim,
        const Digest &key, unsigned shard)
        : watch(its_watch),
          kind(its_kind),
          claim(its_claim),
          hold(
              std::make_shared<StoreHold>(*its_watch.worker_.store, key, shard))
    {
    }

    StoreWatch &watch;
    Kind kind;
    ClaimRef claim;  // of this machine; empty: found in the store
    std::shared_ptr<StoreHold> hold;
    StoreCall call;
};

StoreWatch::StoreWatch(Worker &worker, SettleRetry &retry, bool polls)
    : worker_(worker),
      retry_(retry),
      poll_(
          AtQuit::cancel,
          [](void *watch) { static_cast<StoreWatch *>(watch)->poll(); }, this)
{
    retry.use(this);
    if (polls) {
        shards_ = std::make_unique<Shard[]>(kStoreShards);
        poll_.arm(kPollInterval);
    }
}

StoreWatch::~StoreWatch()
{
    retry_.use(nullptr);
    for (auto &job : jobs_) {
        if (job->kind == Kind::own_due) {
            LockedClaims(worker_.zone)->set_unknown(job->claim, ngx_time());
        }
    }
}

void StoreWatch::take(ClaimRef claim)
{
    JournalRecord record = LockedClaims(worker_.zone)->record(claim);
    start(Kind::own_due, claim, record.key, store_shard(record.payer));
}

void StoreWatch::close(ClaimRef claim)
{
    JournalRecord record = LockedClaims(worker_.zone)->record(claim);
    start(Kind::own_closed, claim, record.key, store_shard(record.payer));
}

void StoreWatch::start(Kind kind, ClaimRef claim, const Digest &key,
                       unsigned shard)
{
    jobs_.push_back(std::make_unique<Job>(*this, kind, claim, key, shard));
    Job &job = *jobs_.back();
    StoreOrder order = job.hold->order(StoreScript::resume);
    order.what = ResumeWhat::unknown;
    job.call.begin(*worker_.store, std::move(order), on_answer, &job);
}

void StoreWatch::on_answer(void *data, const StoreReply &reply)
{
    auto &job = *static_cast<Job *>(data);
    StoreWatch &watch = job.watch;
    bool done = guarded(ngx_cycle->log, false, [&] {
        watch.answered(job, reply);
        return true;
    });
    if (!done && job.kind == Kind::own_due) {
        // What memory is refused for is asked again another time.
        LockedClaims(watch.worker_.zone)->set_unknown(job.claim, ngx_time());
    }
    watch.jobs_.remove_if(
        [&](const std::unique_ptr<Job> &one) { return one.get() == &job; });
}

void StoreWatch::answered(Job &job, const StoreReply &reply)
{
    switch (job.kind) {
    case Kind::own_due:
        own_due(job, reply);
        break;
    case Kind::own_closed:
        own_closed(job, reply);
        break;
    case Kind::found:
        found(job, reply);
        break;
    }
}

// What the store says of a claim that is no longer open, or not to be had: it
// is not asked about here.
void StoreWatch::learn(ClaimRef claim, const StoredClaim &stored)
{
    JournalRecord record;
    bool owed =
        stored.state == ClaimState::paid && restored_record(stored, {}, record);
    LockedClaims claims(worker_.zone);
    switch (stored.state) {
    case ClaimState::delivered:
    case ClaimState::closed:
        claims->set_delivered(claim, ngx_time());
        return;
    case ClaimState::refused:
        claims->set_refused(claim, ngx_time());
        return;
    default:
        break;
    }
    claims->set_unknown(claim, ngx_time());
    if (owed) {
        claims->adopt(record, ngx_time());
    }
}

void StoreWatch::own_due(Job &job, const StoreReply &reply)
{
    JournalRecord record = LockedClaims(worker_.zone)->record(job.claim);
    job.hold->learn(record);
    if (reply.is(StoreVerdict::resumed)) {
        ask(job, job.claim, record);
        return;
    }
    const StoredClaim &stored = reply.answer.claim;
    bool forgotten =
        reply.is(StoreVerdict::lost) && stored.state == ClaimState::free;
    if (forgotten || reply.is(StoreVerdict::ended)) {
        // The next look closes it here, or finds it there.
        StoreOrder order = job.hold->order(StoreScript::finish, record);
        order.finish = FinishAs::unknown;
        order.settle = std::move(record.settle);
        worker_.store->write_behind(std::move(order));
    }
    if (reply.is(StoreVerdict::lost) && !forgotten) {
        learn(job.claim, stored);
    } else {
        LockedClaims(worker_.zone)->set_unknown(job.claim, ngx_time());
    }
    job.hold->end();
}

void StoreWatch::own_closed(Job &job, const StoreReply &reply)
{
    bool ended = reply.is(StoreVerdict::ended);
    bool forgotten = reply.is(StoreVerdict::lost)
                     && reply.answer.claim.state == ClaimState::free;
    // Money: rather two lines than none, if the store is away.
    if (ended || forgotten || reply.kind != StoreReply::Kind::answered) {
        JournalRecord record = LockedClaims(worker_.zone)->record(job.claim);
        retry_.close(job.claim);
        job.hold->learn(record);
        StoreOrder order = job.hold->order(StoreScript::finish, record);
        order.finish = FinishAs::closed;
        order.record.clear();
        worker_.store->write_behind(std::move(order));
    }
    job.hold->end();
}

void StoreWatch::found(Job &job, const StoreReply &reply)
{
    bool ended = reply.is(StoreVerdict::ended);
    JournalRecord record;
    if (!(ended || reply.is(StoreVerdict::resumed))
        || !restored_record(reply.answer.claim, reply.answer.settle, record)) {
        job.hold->end();
        return;
    }
    job.hold->learn(record);
    ClaimRef claim;
    bool taken;
    bool paid;
    {
        LockedClaims claims(worker_.zone);
        claim = claims->adopt(record, ngx_time());
        paid = claim && claims->view(claim).state == ClaimState::paid;
        if (paid) {
            record = claims->record(claim);
        }
        taken =
            claim && !paid && (ended || claims->resume(claim, worker_.owner));
    }
    if (paid) {
        // Money: this machine knows better, and the store does not have it yet.
        write_paid(job, record);
        return;
    }
    if (taken && ended) {
        retry_.close(claim);
        LockedClaims(worker_.zone)->free(claim);
        StoreOrder order = job.hold->order(StoreScript::finish, record);
        order.finish = FinishAs::closed;
        order.record.clear();
        job.hold->end();
        worker_.store->write_behind(std::move(order));
        return;
    }
    if (taken) {
        ask(job, claim, record);
        return;
    }
    // In use on this machine, or no room: given back.
    StoreOrder order = job.hold->order(StoreScript::finish, record);
    order.finish = FinishAs::unknown;
    job.hold->end();
    worker_.store->write_behind(std::move(order));
}

void StoreWatch::write_paid(Job &job, const JournalRecord &record)
{
    StoreOrder order = job.hold->order(StoreScript::finish, record);
    order.finish = FinishAs::owed;
    job.hold->end();
    worker_.store->write_behind(std::move(order));
}

// The claim is this worker's, here and in the store.
void StoreWatch::ask(Job &job, ClaimRef claim, const JournalRecord &record)
{
    if (retry_.ask(claim, job.hold)) {
        return;
    }
    LockedClaims(worker_.zone)->set_unknown(claim, ngx_time());
    StoreOrder order = job.hold->order(StoreScript::finish, record);
    order.finish = FinishAs::unknown;
    job.hold->end();
    worker_.store->write_behind(std::move(order));
}

// Claims of all machines that are due, 64 questions in one write.
void StoreWatch::poll()
{
    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;
    }
    poll_.arm(kPollInterval);
    if (!worker_.store->nodes().ready()) {
        return;
    }
    for (unsigned shard = 0; shard < kStoreShards; shard++) {
        Shard &one = shards_[shard];
        if (!one.call.waits()) {
            one.watch = this;
            one.route = StoreRoute();
            ask_for_due(shard);
        }
    }
}

void StoreWatch::ask_for_due(unsigned shard)
{
    Shard &one = shards_[shard];
    RedisSend how;
    how.room = store_call_bytes(one.route.by, StoreScript::due);
    (void)worker_.store->nodes().send(
        one.call, one.route, shard, how,
        [&](RespWriter &out) {
            write_due(out, one.route.by, worker_.store->conf().prefix, shard,
                      kMaxDue);
        },
        [](void *data, RedisEnd end, const RespReply &reply) {
            auto *asked = static_cast<Shard *>(data);
            StoreWatch &watch = *asked->watch;
            auto number = static_cast<unsigned>(asked - watch.shards_.get());
            watch.read_due_of(number, end, reply);
        },
        &one);
}

void StoreWatch::read_due_of(unsigned shard, RedisEnd end,
                             const RespReply &reply)
{
    if (worker_.store->nodes().goes_on(shards_[shard].route, shard, end,
                                       reply)) {
        ask_for_due(shard);
        return;
    }
    if (end != RedisEnd::answered) {
        worker_.store->count_due(end, StoreVerdict::broken);
        return;
    }
    DueAnswer due = read_due(reply);
    worker_.store->count_due(end, due.verdict);
    for (std::size_t i = 0; i < due.count; i++) {
        // The rest is written again in a moment.
        if (!retry_.has_room()) {
            return;
        }
        start(Kind::found, ClaimRef(), due.claims[i], shard);
    }
}

}  // namespace x402
