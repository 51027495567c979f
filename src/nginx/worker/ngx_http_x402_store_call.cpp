// SPDX-License-Identifier: Apache-2.0
#include "nginx/worker/ngx_http_x402_store_call.hpp"

#include <ctime>

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/worker/ngx_http_x402_shared_store.hpp"
#include "store/store_error.hpp"

namespace x402 {

namespace {

// nginx: its own clock has milliseconds, in which a store answers ten times.
std::uint64_t microseconds()
{
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000000
           + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

// Money: what a failover must not lose, because something is sold, sent,
// delivered or opened on the strength of it. WAIT covers all that the
// connection wrote before: SETTLING stands for the TAKEOVER of its claim, and
// for the RESUME of one that is only asked about.
bool needs_replicas(const StoreOrder &order)
{
    switch (order.script) {
    case StoreScript::resume:
        return order.what == ResumeWhat::any || order.what == ResumeWhat::owed;
    case StoreScript::take:
    case StoreScript::settling:
    case StoreScript::paid:
    case StoreScript::name:
    case StoreScript::pass:
    case StoreScript::nonce:
        return true;
    default:
        return false;
    }
}

}  // namespace

StoreFacts StoreOrder::whole_facts() const
{
    StoreFacts whole = facts;
    whole.record = record;
    whole.settle = settle;
    whole.now = ngx_time();
    whole.name = name ? &*name : nullptr;
    return whole;
}

std::size_t StoreOrder::bytes(ScriptBy by) const
{
    return store_call_bytes(by, script, record.size(), settle.size());
}

RedisSend StoreOrder::awaited(ScriptBy by) const
{
    RedisSend how;
    how.room = bytes(by);
    how.replicated = needs_replicas(*this);
    return how;
}

void StoreOrder::write(RespWriter &out, ScriptBy by) const
{
    switch (script) {
    case StoreScript::take:
        write_take(out, by, claim, whole_facts(), lease);
        break;
    case StoreScript::settling:
        write_settling(out, by, claim, whole_facts(), lease, settling);
        break;
    case StoreScript::paid:
        write_paid(out, by, claim, whole_facts(), lease, PaidCall::proven);
        break;
    case StoreScript::finish:
        write_finish(out, by, claim, whole_facts(), finish);
        break;
    case StoreScript::resume:
        write_resume(out, by, claim, what, now, lease);
        break;
    case StoreScript::takeover:
        write_takeover(out, by, claim, whole_facts(), lease);
        break;
    case StoreScript::renew:
        write_renew(out, by, claim, lease);
        break;
    case StoreScript::unproven:
        write_unproven(out, by, claim, facts.payer, most_unproven);
        break;
    case StoreScript::name:
        write_name(out, by, claim, name_shard, *name,
                   facts.expires - ngx_time(), naming);
        break;
    case StoreScript::pass:
        write_pass(out, by, claim, use, requests, facts.expires - ngx_time());
        break;
    case StoreScript::nonce:
        write_nonce(out, by, claim, facts.expires - ngx_time());
        break;
    case StoreScript::bought:
        if (keys.empty()) {
            write_bought(out, by, claim, asked, facts.expires - ngx_time());
        } else {
            write_bought_query(out, by, claim, keys);
        }
        break;
    default:
        break;  // nothing is written, and so nothing sent
    }
}

StoreReply store_reply(StoreScript script, const Digest &key, RedisEnd end,
                       const RespReply &reply)
{
    StoreReply made;
    bool unreplicated = end == RedisEnd::unreplicated;
    if (end != RedisEnd::answered && !unreplicated) {
        made.kind = end == RedisEnd::unsent ? StoreReply::Kind::undone
                                            : StoreReply::Kind::doubtful;
        return made;
    }
    read_store_answer(script, key, reply, made.answer);
    switch (made.answer.verdict) {
    case StoreVerdict::error:
        made.kind = did_nothing(reply.root().text) ? StoreReply::Kind::undone
                                                   : StoreReply::Kind::doubtful;
        break;
    case StoreVerdict::broken:
        made.kind = StoreReply::Kind::doubtful;
        log_line(NGX_LOG_CRIT, ngx_cycle->log,
                 std::string("the store gave an answer to \"")
                     + store_script_name(script)
                     + "\" that no release of this module gives; check whether "
                       "another program uses the prefix of x402_store");
        break;
    case StoreVerdict::taken:
    case StoreVerdict::done:
    case StoreVerdict::resumed:
        // Money: what one server alone knows may be gone in a moment.
        made.kind = unreplicated ? StoreReply::Kind::doubtful
                                 : StoreReply::Kind::answered;
        break;
    default:
        made.kind = StoreReply::Kind::answered;
        break;
    }
    return made;
}

StoreCall::StoreCall()
    : refused_(
        AtQuit::wait,
        [](void *call) {
            StoreReply undone;
            static_cast<StoreCall *>(call)->end(undone);
        },
        this)
{
}

void StoreCall::begin(SharedStore &store, StoreOrder &&order, Done done,
                      void *data)
{
    store_ = &store;
    order_ = std::move(order);
    done_ = done;
    data_ = data;
    route_ = StoreRoute();
    repeated_ = false;
    waits_ = true;
    asked_ = ngx_current_msec;
    begun_ = microseconds();
    send();
}

void StoreCall::send()
{
    ScriptBy by = route_.by;
    bool sent = store_->nodes().send(
        call_, route_, order_.shard(), order_.awaited(by),
        [&](RespWriter &out) { order_.write(out, by); }, on_answer, this);
    if (!sent) {
        refused_.post();
    }
}

// This process stood still, or the store did.
bool StoreCall::comes_too_late() const
{
    return !repeated_
           && static_cast<std::int64_t>(ngx_current_msec - asked_)
                  >= order_.lease;
}

void StoreCall::end(StoreReply &reply)
{
    if (waits_) {
        waits_ = false;
        // The first of two calls may have been carried out.
        if (repeated_ && reply.kind == StoreReply::Kind::undone) {
            reply.kind = StoreReply::Kind::doubtful;
        }
        store_->count(order_.script, reply);
        store_->count_wait(microseconds() - begun_);
        done_(data_, reply);  // the owner may be gone afterwards
    }
}

void StoreCall::on_answer(void *data, RedisEnd end, const RespReply &reply)
{
    auto *call = static_cast<StoreCall *>(data);
    StoreOrder &order = call->order_;
    if (call->store_->nodes().goes_on(call->route_, order.shard(), end,
                                      reply)) {
        call->send();
        return;
    }
    if (call->comes_too_late()) {
        call->repeated_ = true;
        call->route_ = StoreRoute();
        call->asked_ = ngx_current_msec;
        call->send();
        return;
    }
    StoreReply made = store_reply(order.script, order.claim.key, end, reply);
    call->end(made);
}

}  // namespace x402
