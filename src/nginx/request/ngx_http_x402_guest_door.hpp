// SPDX-License-Identifier: Apache-2.0
// What machines that share a store know together of a client that comes back
// (x402_store): how many requests its pass is good for, whether its nonce was
// used, what it has bought. The access phase waits for each answer and then
// runs again; this is what it knows by then.
#ifndef NGX_HTTP_X402_GUEST_DOOR_HPP
#define NGX_HTTP_X402_GUEST_DOOR_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"
#include "session/access_pass.hpp"

namespace x402 {

// One question, which payment/store_guest asks.
struct GuestQuestion {
    StoreOrder order;
    StoreCall call;
    bool asked = false;
    bool answered = false;  // or will not be: `kind` says which
    StoreReply::Kind kind = StoreReply::Kind::undone;
    StoreVerdict verdict = StoreVerdict::broken;
    std::int64_t left = 0;
    decltype(StoreAnswer::bought) bought;
    std::size_t bought_count = 0;

    bool is(StoreVerdict wanted) const
    {
        return kind == StoreReply::Kind::answered && verdict == wanted;
    }
    void keep(const StoreReply &reply);
};

// A use of a counted pass. Money: what the store took, or may have taken, for a
// request that got no content is given back.
struct StoreUse;

struct GuestDoor {
    explicit GuestDoor(const LocationConf *of) : conf(of) {}

    const LocationConf *conf;
    std::size_t passes_seen = 0;  // of those that the client shows
    std::shared_ptr<GuestQuestion> question;
    StoreUse *use = nullptr;  // that is asked for
    std::string payer;        // whose signature is good
};

// nullptr: machines share nothing.
SharedStore *store_of(const RequestCtx &ctx);
// Of this location; a new one after a redirect.
GuestDoor &guest_door(RequestCtx &ctx, const LocationConf &conf);
// An order that is not about a claim: `key` and its shard, and a token of its
// own.
StoreOrder guest_order(const SharedStore &store, StoreScript script,
                       const Digest &key, std::int64_t expires);

// Requests of a pass in the store.
enum class PassCount {
    taken,
    unknown,
    used_up,
    asks_store,
    store_away,
    failed
};
// `asks_store`: the phase comes again with the answer.
PassCount count_in_store(RequestCtx &ctx, const LocationConf &conf,
                         const AccessPass &pass, std::uint32_t requests,
                         std::uint32_t &left);
// Behind the client's back.
void issue_in_store(SharedStore &store, const AccessPass &pass,
                    std::uint32_t requests);

// Whether this request of a counted pass ends without content.
bool got_nothing(const ngx_http_request_t *r);

}  // namespace x402

#endif
