// SPDX-License-Identifier: Apache-2.0
// What a new connection begins with: AUTH, and whether what is there can be the
// memory of several machines.
#include <algorithm>

#include "base/hex_codec.hpp"
#include "base/text_excerpt.hpp"
#include "nginx/call/redis/ngx_http_x402_redis_link.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "store/store_check.hpp"

namespace x402 {

namespace {

constexpr std::size_t kEpochBytes = 16;
constexpr std::size_t kHelloBytes = 8 * 1024;

}  // namespace

// All steps in one write.
void RedisLink::greet()
{
    unsigned char random[kEpochBytes];
    if (!fill_random(random, sizeof(random))) {
        fail("no random bytes", false);
        return;
    }
    epoch_ = hex_encode(random, sizeof(random));
    if (!write_greeting()) {
        fail("the user and the password of x402_store are too long", false);
        return;
    }
    hello_sent_ = 0;
    state_ = State::greeting;
    if (steps_.empty()) {
        opened({});
        return;
    }
    send();
}

// The epoch of a cluster is that of each shard, and asked for as claims are.
bool RedisLink::write_greeting()
{
    hello_.assign(kHelloBytes, '\0');
    RespWriter writer(&hello_[0], hello_.size());
    steps_.clear();
    const std::string &password = login_.password.text;
    if (!password.empty()) {
        bool named = !login_.user.empty();
        writer.begin(named ? 3 : 2).add("AUTH");
        if (named) {
            writer.add(login_.user);
        }
        writer.add(password);
        steps_.push_back(Step::auth);
    }
    if (server_.role != RedisRole::sentinel) {
        if (conf_.url.database != 0) {
            writer.begin(2).add("SELECT").add(
                static_cast<std::int64_t>(conf_.url.database));
            steps_.push_back(Step::select);
        }
        writer.begin(1).add("INFO");
        steps_.push_back(Step::info);
    }
    if (server_.role == RedisRole::store) {
        writer.begin(5)
            .add("SET")
            .add(conf_.prefix + ":epoch")
            .add(epoch_)
            .add("NX")
            .add("GET");
        steps_.push_back(Step::epoch);
    }
    std::reverse(steps_.begin(), steps_.end());
    hello_.resize(writer.size());
    return writer.complete();
}

void RedisLink::read_greeting(const RespReply &reply)
{
    if (reply.is_error()) {
        StoreErrorAdvice advice = advice_of_store_error(reply.error_word());
        problem_ = "it answered \""
                   + log_excerpt(std::string(reply.root().text)) + "\""
                   + (*advice.advice ? std::string("; ") + advice.advice : "");
        fail(problem_, false);
        return;
    }
    const RespItem &root = reply.root();
    Step step = steps_.back();
    steps_.pop_back();
    if (step == Step::info) {
        std::string error = check_store_info(root.text, conf_.url.topology);
        if (!error.empty()) {
            fail(error, false);
            return;
        }
    }
    if (steps_.empty()) {
        bool known = step == Step::epoch && root.type == RespType::bytes;
        std::string epoch(known ? std::string_view(root.text) : epoch_);
        opened(step == Step::epoch ? epoch : std::string());
    }
}

void RedisLink::opened(std::string_view epoch)
{
    retry_.disarm();
    state_ = State::ready;
    if (away_ || !complained_.empty()) {
        log_line(NGX_LOG_NOTICE, ngx_cycle->log, label() + " is there again");
    }
    away_ = false;
    was_ready_ = true;
    late_ = 0;
    complained_.clear();
    events_.ready(events_.data, *this, std::string(epoch));
    flush_.post();
}

}  // namespace x402
