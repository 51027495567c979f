// SPDX-License-Identifier: Apache-2.0
// How far what a client bought reaches, and whether it pays for this request.
#ifndef NGX_HTTP_X402_SCOPE_HPP
#define NGX_HTTP_X402_SCOPE_HPP

#include <optional>

#include "nginx/offer/ngx_http_x402_location_rules.hpp"
#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// What stands for the scope of this request in the place of a resource; equal
// for all requests within it. `conf`: the location that sells, which may not be
// the one that serves. `purpose` keeps passes, for example, apart from
// all else. nullopt: no memory.
std::optional<Digest> scope_of(RequestCtx &ctx, const LocationConf &conf,
                               const ScopeRules &rules, const char *purpose);

// Whether what was bought is in money that the location asks for at this
// moment, and no less of it. The scope is not looked at.
bool is_paid_with(RequestCtx &ctx, const LocationConf &conf,
                  const ClaimBinding &bought);

}  // namespace x402

#endif
