// SPDX-License-Identifier: Apache-2.0
// replicas=: what a payment waits for is known to so many replicas, too, before
// it goes on (WAIT).
#include "nginx/call/redis/ngx_http_x402_redis_link.hpp"

#include <utility>

#include "nginx/core/ngx_http_x402_log.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kProbeInterval = 1000;
// A probe holds up the connection for this long.
constexpr ngx_msec_t kProbeTimeout = 10;
constexpr std::size_t kCommandBytes = 128;

}  // namespace

// It covers all that was written on this connection so far.
void RedisLink::add_wait(ngx_msec_t timeout)
{
    add_own(Kind::wait, kCommandBytes, [&](RespWriter &writer) {
        // WAIT: a timeout of 0 would be none.
        writer.begin(3)
            .add("WAIT")
            .add(static_cast<std::int64_t>(replicas_))
            .add(static_cast<std::int64_t>(timeout));
    });
    wait_due_ = false;
}

// The caller gets a node's answer whatever the node says to this.
void RedisLink::add_asking()
{
    add_own(Kind::plain, kCommandBytes,
            [](RespWriter &writer) { writer.begin(1).add("ASKING"); });
}

// Money: a failover may lose what fewer replicas have, so that it does not
// count. Until they are there, nothing more of that kind is written.
void RedisLink::replicas_answered(const RespReply &reply)
{
    bool counted = reply.root().type == RespType::integer;
    std::int64_t count = counted ? reply.root().integer : 0;
    bool enough = count >= static_cast<std::int64_t>(replicas_);
    std::uint64_t opened = opened_;
    if (reply.is_error()) {
        complain_of(reply);
        if (opened != opened_) {
            return;
        }
    }
    if (!enough && !lacks_replicas_) {
        log_failure(
            NGX_LOG_ERR,
            std::to_string(count)
                + " of the replicas have what was "
                  "written, and replicas= asks for "
                + std::to_string(replicas_)
                + "; start them again, or find out why they are slow; until "
                  "they are there nothing is sold");
        replicas_probe_.arm(kProbeInterval);
    }
    if (enough && lacks_replicas_) {
        complained_.clear();
        log_line(NGX_LOG_NOTICE, ngx_cycle->log,
                 label() + " has its replicas again");
    }
    lacks_replicas_ = !enough;
    // Lifetime: a caller that closes the connection leaves them alone.
    std::string answers = std::exchange(held_, {});
    while (answered_ > 0 && opened == opened_) {
        answered_--;
        const Pending &front = pending_.front();
        RedisCall *call = front.call;
        std::string_view answer = std::string_view(answers).substr(
            front.answer_at, front.answer_size);
        pending_.pop_front();
        if (call != nullptr
            && reply_.read(answer) == RespReply::State::complete) {
            report(call, enough ? RedisEnd::answered : RedisEnd::unreplicated,
                   reply_);
        }
    }
    if (opened == opened_) {
        pending_.pop_front();
        answers.clear();
        held_ = std::move(answers);  // for its memory
    }
}

void RedisLink::look_for_replicas()
{
    if (state_ != State::ready || !lacks_replicas_) {
        return;
    }
    guarded_event([&] {
        replicas_probe_.arm(kProbeInterval);
        add_wait(kProbeTimeout);
        flush_.post();
    });
}

}  // namespace x402
