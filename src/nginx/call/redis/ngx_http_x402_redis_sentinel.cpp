// SPDX-License-Identifier: Apache-2.0
#include "nginx/call/redis/ngx_http_x402_redis_sentinel.hpp"

#include "base/text_excerpt.hpp"

namespace x402 {

SentinelQuery::SentinelQuery(const StoreConf &conf, Found found, void *data)
    : conf_(conf),
      found_(found),
      data_(data),
      step_(AtQuit::wait, on_step, this)
{
    auto ready = [](void *, RedisLink &, const std::string &) {};
    auto down = [](void *, RedisLink &) {};
    for (std::size_t i = 0; i < conf.url.places.size(); i++) {
        RedisServer server;
        server.role = RedisRole::sentinel;
        server.place = conf.url.places[i];
        server.addresses = conf.addresses[i];
        links_.push_back(std::make_unique<RedisLink>(
            conf, std::move(server), RedisLink::Events{ready, down, nullptr}));
    }
}

void SentinelQuery::ask()
{
    if (running_) {
        return;
    }
    running_ = true;
    asked_ = 0;
    has_place_ = false;
    problem_.clear();
    step_.post();
}

// One has answered, or did not; never inside its own call.
void SentinelQuery::on_step(void *data)
{
    auto *query = static_cast<SentinelQuery *>(data);
    bool done = guarded(ngx_cycle->log, false, [&] {
        query->step();
        return true;
    });
    if (!done) {
        query->end(nullptr);
    }
}

void SentinelQuery::step()
{
    if (asked_ > 0) {
        links_[next_]->rest();
        next_ = (next_ + 1) % links_.size();
    }
    if (has_place_) {
        end(&place_);
        return;
    }
    if (asked_ == links_.size()) {
        end(nullptr);
        return;
    }
    ask_next();
}

void SentinelQuery::end(const StorePlace *place)
{
    running_ = false;
    found_(data_, place, problem_);
}

void SentinelQuery::ask_next()
{
    asked_++;
    RedisLink &link = *links_[next_];
    link.start();
    RedisSend how;
    how.room = kRespCommandBytes + resp_argument_bytes(8)
               + resp_argument_bytes(32)
               + resp_argument_bytes(conf_.url.master.size());
    bool sent = link.send(
        call_, how,
        [&](RespWriter &out) {
            out.begin(3)
                .add("SENTINEL")
                .add("GET-MASTER-ADDR-BY-NAME")
                .add(conf_.url.master);
        },
        on_answer, this);
    if (!sent) {
        answered(RedisEnd::unsent, RespReply());
    }
}

void SentinelQuery::on_answer(void *data, RedisEnd end, const RespReply &reply)
{
    static_cast<SentinelQuery *>(data)->answered(end, reply);
}

void SentinelQuery::answered(RedisEnd end, const RespReply &reply)
{
    step_.post();
    const std::string &sentinel = conf_.url.places[next_].text();
    if (end != RedisEnd::answered) {
        if (problem_.empty()) {
            problem_ = "no sentinel of x402_store answers; start them, or "
                       "correct their addresses";
        }
        return;
    }
    const RespItem &root = reply.root();
    if (root.type == RespType::nothing) {
        problem_ = "sentinel " + sentinel + " knows no master \""
                   + conf_.url.master
                   + "\"; write the name of \"sentinel monitor\" into "
                     "x402_store";
        return;
    }
    const RespItem &host = reply.member(0);
    const RespItem &port = reply.member(1);
    has_place_ = root.type == RespType::list && root.count == 2
                 && host.type == RespType::bytes && port.type == RespType::bytes
                 && read_store_place(host.text, port.text, place_);
    if (!has_place_) {
        problem_ = "sentinel " + sentinel + " reports no address"
                   + (reply.is_error()
                          ? ", it answered \""
                                + log_excerpt(std::string(root.text)) + "\""
                          : std::string())
                   + "; look whether it is a sentinel, and whether it needs "
                     "sentinel_password=file";
    }
}

}  // namespace x402
