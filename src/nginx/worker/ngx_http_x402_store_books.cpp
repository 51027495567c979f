// SPDX-License-Identifier: Apache-2.0
// What x402_status tells of the store.
#include "nginx/worker/ngx_http_x402_shared_store.hpp"
#include "nginx/worker/ngx_http_x402_worker.hpp"

namespace x402 {

namespace {

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
        counters->store().set_state(nodes_.whole(), untold_);
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
