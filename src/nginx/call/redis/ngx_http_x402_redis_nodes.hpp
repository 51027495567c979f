// SPDX-License-Identifier: Apache-2.0
// The servers of the store, as one worker sees them: one, the master of
// sentinels, or the nodes of a cluster. Sends a call to the one that has its
// shard.
//
// It keeps no map of slots. A shard is one slot, as its keys have one hash tag;
// where it is, a node says (MOVED) when another is asked, and that is
// remembered for each of the 64 shards. If a node goes away, what is known of
// its shards is forgotten, and others are asked.
#ifndef NGX_HTTP_X402_REDIS_NODES_HPP
#define NGX_HTTP_X402_REDIS_NODES_HPP

#include <array>

#include "nginx/call/redis/ngx_http_x402_redis_link.hpp"
#include "store/store_calls.hpp"

namespace x402 {

// How one call goes on: it starts afresh for each.
struct StoreRoute {
    ScriptBy by = ScriptBy::sha1;
    RedisLink *asked = nullptr;  // that ASK named; used at once
    unsigned hops = 0;
};

class RedisNodes {
public:
    struct Events {
        // Writes of these shards (a bit for each) may be lost: the
        // connection is new, or they are elsewhere. `epoch`: as of RedisLink;
        // empty in a cluster, where each shard has its own.
        void (*again)(void *data, std::uint64_t shards,
                      const std::string &epoch);
        void *data;
    };

    // Lifetime: borrows the configuration.
    RedisNodes(const StoreConf &conf, Events events);
    RedisNodes(const RedisNodes &) = delete;
    RedisNodes &operator=(const RedisNodes &) = delete;

    void start();
    bool clustered() const { return clustered_; }
    // Some server can be used; or that of the shard.
    bool ready() const;
    bool ready(unsigned shard) const;
    // All that shards are at can be used, and have their replicas.
    bool whole() const;
    void flush();
    // As RedisLink::push().
    void push();

    // As RedisLink::send().
    template <class Write>
    bool send(RedisCall &call, const StoreRoute &route, unsigned shard,
              RedisSend how, Write &&write, RedisCall::Done done, void *data)
    {
        how.asking = route.asked != nullptr;
        return asked_link(route, shard)
            .send(call, how, std::forward<Write>(write), done, data);
    }

    // What came back does not answer it yet: the call is to be sent once more,
    // with the route as it is now. It knows the script by its text, or goes to
    // another node.
    bool goes_on(StoreRoute &route, unsigned shard, RedisEnd end,
                 const RespReply &reply);

private:
    RedisLink &link_for(unsigned shard);
    RedisLink &asked_link(const StoreRoute &route, unsigned shard)
    {
        return route.asked ? *route.asked : link_for(shard);
    }
    RedisLink &home();
    RedisLink *link_at(std::string_view place, const RedisLink &from);
    void add(RedisServer server);
    void place(unsigned shard, RedisLink &link);
    bool used(const RedisLink &link) const;
    void came(RedisLink &link, const std::string &epoch);
    void went(RedisLink &link);
    void sweep();

    const StoreConf &conf_;
    Events events_;
    bool clustered_;
    std::size_t seeds_ = 0;  // links_ that are configured, in front
    std::vector<std::unique_ptr<RedisLink>> links_;
    std::array<RedisLink *, kStoreShards> of_shard_{};  // nullptr: not known
    std::uint64_t placed_ = 0;  // shards whose place was known once
    bool came_ = false;         // a server could be used once
    Timer sweep_;
};

}  // namespace x402

#endif
