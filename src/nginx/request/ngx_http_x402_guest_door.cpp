// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_guest_door.hpp"

#include <algorithm>

namespace x402 {

namespace {

Digest key_of(const PassId &id)
{
    Digest key{};
    std::copy(id.begin(), id.end(), key.begin());
    return key;
}

}  // namespace

struct StoreUse {
    StoreUse(ngx_http_request_t *request, SharedStore &its_store,
             StoreOrder its_order)
        : r(request), store(its_store), order(std::move(its_order))
    {
    }
    ~StoreUse()
    {
        if (taken == Taken::no || (taken == Taken::yes && !got_nothing(r))) {
            return;
        }
        guarded(ngx_cycle->log, 0, [&] {
            order.use = PassCall::give_back;
            store.tell(std::move(order));
            return 0;
        });
    }
    StoreUse(const StoreUse &) = delete;
    StoreUse &operator=(const StoreUse &) = delete;

    enum class Taken { no, perhaps, yes };

    ngx_http_request_t *r;
    SharedStore &store;
    StoreOrder order;
    Taken taken = Taken::perhaps;
};

void GuestQuestion::keep(const StoreReply &reply)
{
    answered = true;
    kind = reply.kind;
    verdict = reply.answer.verdict;
    left = reply.answer.left;
    bought = reply.answer.bought;
    bought_count = reply.answer.bought_count;
}

SharedStore *store_of(const RequestCtx &ctx)
{
    Worker *worker = worker_of(main_conf(ctx.r));
    return worker ? worker->store.get() : nullptr;
}

GuestDoor &guest_door(RequestCtx &ctx, const LocationConf &conf)
{
    if (!ctx.guest_door || ctx.guest_door->conf != &conf) {
        ctx.guest_door = std::make_shared<GuestDoor>(&conf);
    }
    return *ctx.guest_door;
}

StoreOrder guest_order(const SharedStore &store, StoreScript script,
                       const Digest &key, std::int64_t expires)
{
    StoreOrder order;
    order.script = script;
    order.claim.prefix = store.conf().prefix;
    order.claim.shard = store_shard(key);
    order.claim.key = key;
    order.claim.token = new_store_token();
    order.facts.expires = expires;
    order.lease = store.lease();
    return order;
}

PassCount count_in_store(RequestCtx &ctx, const LocationConf &conf,
                         const AccessPass &pass, std::uint32_t requests,
                         std::uint32_t &left)
{
    SharedStore &store = *store_of(ctx);
    GuestDoor &door = guest_door(ctx, conf);
    if (!door.use) {
        StoreOrder order = guest_order(store, StoreScript::pass,
                                       key_of(pass.id), pass.expires());
        order.requests = requests;
        auto question = std::make_shared<GuestQuestion>();
        question->order = order;
        door.use =
            pool_new<StoreUse>(ctx.r->pool, ctx.r, store, std::move(order));
        door.question = std::move(question);
        if (!door.use) {
            return PassCount::failed;
        }
        return PassCount::asks_store;
    }
    const GuestQuestion &question = *door.question;
    if (!question.answered) {
        return PassCount::asks_store;
    }
    StoreUse &use = *std::exchange(door.use, nullptr);
    if (question.kind != StoreReply::Kind::answered) {
        use.taken = question.kind == StoreReply::Kind::undone
                        ? StoreUse::Taken::no
                        : StoreUse::Taken::perhaps;
        return PassCount::store_away;
    }
    if (!question.is(StoreVerdict::done)) {
        use.taken = StoreUse::Taken::no;
        return question.left < 0 ? PassCount::unknown : PassCount::used_up;
    }
    use.taken = StoreUse::Taken::yes;
    left = static_cast<std::uint32_t>(question.left);
    return PassCount::taken;
}

void issue_in_store(SharedStore &store, const AccessPass &pass,
                    std::uint32_t requests)
{
    StoreOrder order =
        guest_order(store, StoreScript::pass, key_of(pass.id), pass.expires());
    order.use = PassCall::issue;
    order.requests = requests;
    store.tell(std::move(order));
}

bool got_nothing(const ngx_http_request_t *r)
{
    ngx_uint_t status = r->headers_out.status;
    // A client that hangs up has made the upstream work.
    bool hung_up = status == 0 || status == NGX_HTTP_CLIENT_CLOSED_REQUEST;
    bool worked = r->upstream != nullptr && r->upstream->request_sent;
    bool without_content =
        status == NGX_HTTP_NOT_MODIFIED || status >= NGX_HTTP_BAD_REQUEST;
    // nginx: content was made, and the client's own Range has none of it.
    bool beside_it = status == NGX_HTTP_RANGE_NOT_SATISFIABLE;
    return hung_up || beside_it ? !worked : without_content;
}

}  // namespace x402
