// SPDX-License-Identifier: Apache-2.0
// Whether the store was emptied: it keeps a name of what it remembers, which
// the first worker gave it. A cluster keeps one for each shard.
#include "base/hex_codec.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/worker/ngx_http_x402_shared_store.hpp"

namespace x402 {

void SharedStore::learn_epoch(std::string &known, std::string_view told)
{
    if (!known.empty() && known != told) {
        log_line(NGX_LOG_CRIT, ngx_cycle->log,
                 "store \"" + conf_.url.base()
                     + "\" was emptied, or is another: what it knew of "
                       "payments is told again as far as this worker knows "
                       "it; look why, and let it keep its data "
                       "(appendonly yes)");
    }
    known = told;
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
    store.learn_epoch(epoch.known, root.type == RespType::bytes
                                       ? root.text
                                       : std::string_view(epoch.offered));
}

}  // namespace x402
