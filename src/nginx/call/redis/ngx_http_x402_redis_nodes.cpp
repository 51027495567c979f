// SPDX-License-Identifier: Apache-2.0
#include "nginx/call/redis/ngx_http_x402_redis_nodes.hpp"

#include <algorithm>

#include "base/text_excerpt.hpp"

namespace x402 {

namespace {

constexpr unsigned kMostHops = 4;
// A shard each, and as many that are on their way out.
constexpr std::size_t kMostLinks = 2 * kStoreShards;
constexpr ngx_msec_t kSweepDelay = 1000;
constexpr std::uint64_t kAllShards = ~std::uint64_t{0};

constexpr const char *kForgetsScripts =
    "it answered \"NOSCRIPT\" to the text of a script; a proxy in front of it "
    "does not know scripts: write the address of the server itself";
constexpr const char *kLeadsNowhere =
    "\", and no node has the slot; look at CLUSTER SLOTS of each node, and at "
    "the addresses that they announce";

}  // namespace

RedisNodes::RedisNodes(const StoreConf &conf, Events events)
    : conf_(conf),
      events_(events),
      clustered_(conf.url.topology == StoreTopology::cluster),
      sweep_(
          AtQuit::cancel,
          [](void *nodes) { static_cast<RedisNodes *>(nodes)->sweep(); }, this)
{
    // Of sentinels there is one link, which asks them.
    seeds_ = clustered_ ? conf.url.places.size() : 1;
    for (std::size_t i = 0; i < seeds_; i++) {
        RedisServer server;
        server.role = clustered_ ? RedisRole::node : RedisRole::store;
        server.place = conf.url.places[i];
        server.addresses = conf.addresses[i];
        add(std::move(server));
    }
}

void RedisNodes::add(RedisServer server)
{
    auto ready = [](void *nodes, RedisLink &link, const std::string &epoch) {
        static_cast<RedisNodes *>(nodes)->came(link, epoch);
    };
    auto down = [](void *nodes, RedisLink &link) {
        static_cast<RedisNodes *>(nodes)->went(link);
    };
    links_.push_back(std::make_unique<RedisLink>(
        conf_, std::move(server), RedisLink::Events{ready, down, this}));
}

void RedisNodes::start()
{
    for (std::size_t i = 0; i < seeds_; i++) {
        links_[i]->start();
    }
}

bool RedisNodes::ready() const
{
    return std::any_of(links_.begin(), links_.end(),
                       [](const auto &link) { return link->ready(); });
}

bool RedisNodes::ready(unsigned shard) const
{
    const RedisLink *link = clustered_ ? of_shard_[shard] : links_[0].get();
    return link ? link->ready() : ready();
}

bool RedisNodes::whole() const
{
    auto good = [](const RedisLink &link) {
        return link.ready() && !link.lacks_replicas();
    };
    if (!clustered_) {
        return good(*links_[0]);
    }
    return std::all_of(
        of_shard_.begin(), of_shard_.end(),
        [&](const RedisLink *link) { return link && good(*link); });
}

void RedisNodes::flush()
{
    for (auto &link : links_) {
        link->flush();
    }
}

void RedisNodes::push()
{
    for (auto &link : links_) {
        link->push();
    }
}

RedisLink &RedisNodes::link_for(unsigned shard)
{
    if (!clustered_) {
        return *links_[0];
    }
    RedisLink *&known = of_shard_[shard];
    if (known != nullptr) {
        return *known;
    }
    RedisLink &asked = home();
    // Money: of a shard that it has itself it says nothing more, and yet what
    // was written to it must be written again when it comes back.
    if (asked.ready()) {
        known = &asked;
        placed_ |= std::uint64_t{1} << shard;
    }
    return asked;
}

// Any node knows where the shards are.
RedisLink &RedisNodes::home()
{
    for (auto &link : links_) {
        if (link->ready()) {
            return *link;
        }
    }
    for (auto &link : links_) {
        if (!link->away() && !link->resting()) {
            return *link;
        }
    }
    return *links_[0];
}

bool RedisNodes::goes_on(StoreRoute &route, unsigned shard, RedisEnd end,
                         const RespReply &reply)
{
    if (end != RedisEnd::answered || !reply.is_error()) {
        return false;
    }
    std::string_view word = reply.error_word();
    if (word == "NOSCRIPT") {
        bool first = route.by == ScriptBy::sha1;
        route.by = ScriptBy::text;
        if (!first) {
            asked_link(route, shard).log_failure(NGX_LOG_CRIT, kForgetsScripts);
        }
        return first;
    }
    bool asks = word == "ASK";
    if (!clustered_ || !(asks || word == "MOVED")) {
        return false;
    }
    // "MOVED slot host:port"
    std::string_view text = reply.root().text;
    RedisLink &from = asked_link(route, shard);
    RedisLink *to = route.hops++ == kMostHops
                        ? nullptr
                        : link_at(text.substr(text.rfind(' ') + 1), from);
    if (to == nullptr) {
        from.log_failure(NGX_LOG_ERR, "it answered \""
                                          + log_excerpt(std::string(text))
                                          + kLeadsNowhere);
        return false;
    }
    route.by = ScriptBy::sha1;
    route.asked = asks ? to : nullptr;
    if (!asks) {
        place(shard, *to);
    }
    return true;
}

// A node that does not say its host is where the one is that was asked.
RedisLink *RedisNodes::link_at(std::string_view where, const RedisLink &from)
{
    std::string same_host;
    if (!where.empty() && (where[0] == ':' || where[0] == '?')) {
        same_host =
            from.place().host + std::string(where.substr(where.find(':')));
        where = same_host;
    }
    StorePlace place;
    if (!read_store_place(where, place)) {
        return nullptr;
    }
    for (auto &link : links_) {
        if (link->place() == place) {
            link->start();
            return link.get();
        }
    }
    if (links_.size() == kMostLinks) {
        return nullptr;
    }
    RedisServer server;
    server.role = RedisRole::node;
    server.place = std::move(place);
    add(std::move(server));
    links_.back()->start();
    return links_.back().get();
}

void RedisNodes::place(unsigned shard, RedisLink &link)
{
    if (of_shard_[shard] == &link) {
        return;
    }
    std::uint64_t bit = std::uint64_t{1} << shard;
    bool moved = placed_ & bit;
    of_shard_[shard] = &link;
    placed_ |= bit;
    if (moved) {
        events_.again(events_.data, bit, {});
    }
    if (!sweep_.armed()) {
        sweep_.arm(kSweepDelay);
    }
}

bool RedisNodes::used(const RedisLink &link) const
{
    return std::find(of_shard_.begin(), of_shard_.end(), &link)
           != of_shard_.end();
}

void RedisNodes::came(RedisLink &link, const std::string &epoch)
{
    std::uint64_t shards = 0;
    for (unsigned shard = 0; shard < kStoreShards; shard++) {
        // Money: one that a node took with it is perhaps back with this one.
        std::uint64_t bit = std::uint64_t{1} << shard;
        bool lost = of_shard_[shard] == nullptr && (placed_ & bit);
        if (lost || of_shard_[shard] == &link) {
            shards |= bit;
        }
    }
    // The first one is asked for all, and so where they are is learned.
    bool all = !clustered_ || !came_;
    came_ = true;
    events_.again(events_.data, all ? kAllShards : shards, epoch);
}

void RedisNodes::went(RedisLink &link)
{
    if (!clustered_) {
        return;
    }
    for (RedisLink *&known : of_shard_) {
        if (known == &link) {
            known = nullptr;
        }
    }
    if (!ready()) {
        start();
    }
    if (!sweep_.armed()) {
        sweep_.arm(kSweepDelay);
    }
}

// Nodes that no shard is at: those that are configured rest, others are gone.
void RedisNodes::sweep()
{
    for (std::size_t i = 0; i < seeds_; i++) {
        RedisLink &seed = *links_[i];
        if (seed.ready() && seed.idle() && !used(seed)
            && std::any_of(
                of_shard_.begin(), of_shard_.end(),
                [](const RedisLink *one) { return one && one->ready(); })) {
            seed.rest();
        }
    }
    auto is_gone = [&](const std::unique_ptr<RedisLink> &link) {
        return link->idle() && !used(*link);
    };
    auto first = links_.begin() + static_cast<std::ptrdiff_t>(seeds_);
    links_.erase(std::remove_if(first, links_.end(), is_gone), links_.end());
}

}  // namespace x402
