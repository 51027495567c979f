// SPDX-License-Identifier: Apache-2.0
// Asks the sentinels of x402_store, one after the other, which server is the
// master. Each time it begins with another one, so that a sentinel that knows
// less than the others does not decide alone. The server itself has to confirm
// that it is the master.
#ifndef NGX_HTTP_X402_REDIS_SENTINEL_HPP
#define NGX_HTTP_X402_REDIS_SENTINEL_HPP

#include "nginx/call/redis/ngx_http_x402_redis_link.hpp"

namespace x402 {

class SentinelQuery {
public:
    // `place` nullptr: none of them knows it; `problem` says why, and what to
    // do.
    using Found = void (*)(void *data, const StorePlace *place,
                           const std::string &problem);

    // Lifetime: borrows the configuration.
    SentinelQuery(const StoreConf &conf, Found found, void *data);
    SentinelQuery(const SentinelQuery &) = delete;
    SentinelQuery &operator=(const SentinelQuery &) = delete;

    // Calls `found` once, later. A query that runs goes on.
    void ask();

private:
    void step();
    void end(const StorePlace *place);
    void answered(RedisEnd end, const RespReply &reply);
    void ask_next();
    static void on_step(void *data);
    static void on_answer(void *data, RedisEnd end, const RespReply &reply);

    const StoreConf &conf_;
    Found found_;
    void *data_;
    std::vector<std::unique_ptr<RedisLink>> links_;
    std::size_t next_ = 0;   // to be asked
    std::size_t asked_ = 0;  // in this query
    bool running_ = false;
    bool has_place_ = false;
    StorePlace place_;
    std::string problem_;
    RedisCall call_;
    Timer step_;
};

}  // namespace x402

#endif
