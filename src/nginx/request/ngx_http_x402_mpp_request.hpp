// SPDX-License-Identifier: Apache-2.0
// What MPP's challenges are bound to in this request.
#ifndef NGX_HTTP_X402_MPP_REQUEST_HPP
#define NGX_HTTP_X402_MPP_REQUEST_HPP

#include "nginx/request/ngx_http_x402_ctx.hpp"
#include "protocol/mpp_challenge.hpp"

namespace x402 {

// nullopt: the location has no x402_mpp. Precondition: the quote was made.
// Lifetime: the texts are the request's and the configuration's; `room` is the
// owner of the rest.
struct MppRoom {
    Digest resource;
    std::string salt;
};
std::optional<MppServer> mpp_server(RequestCtx &ctx, MppRoom &room);

// The same to make challenges by.
std::optional<MppServer> mpp_challenger(RequestCtx &ctx, MppRoom &room);

}  // namespace x402

#endif
