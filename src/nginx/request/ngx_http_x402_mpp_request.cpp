// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_mpp_request.hpp"

#include "base/hex_codec.hpp"
#include "base/token_signature.hpp"
#include "nginx/offer/ngx_http_x402_mpp.hpp"
#include "nginx/request/ngx_http_x402_quote.hpp"
#include "nginx/zone/ngx_http_x402_small_zones.hpp"

namespace x402 {

std::optional<MppServer> mpp_server(RequestCtx &ctx, MppRoom &room)
{
    const MppConf *mpp = ctx.quote.conf->mpp;
    if (mpp == nullptr) {
        return std::nullopt;
    }
    MppServer server;
    server.key = mpp->made ? made_key(mpp->made) : mpp->key.view();
    if (server.key.empty()) {
        return std::nullopt;
    }
    room.resource = resource_digest(resource_of(ctx));
    server.previous_key = mpp->previous.view();
    server.realm =
        mpp->realm.empty() ? host_of(ctx.r) : std::string_view(mpp->realm);
    server.resource = {reinterpret_cast<const char *>(room.resource.data()),
                       room.resource.size()};
    return server;
}

std::optional<MppServer> mpp_challenger(RequestCtx &ctx, MppRoom &room)
{
    auto server = mpp_server(ctx, room);
    std::uint8_t random[8];
    if (!server || !fill_random(random, sizeof(random))) {
        return std::nullopt;
    }
    room.salt = hex_encode(random, sizeof(random));
    server->salt = room.salt;
    server->now = ngx_time();
    return server;
}

}  // namespace x402
