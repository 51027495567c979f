// SPDX-License-Identifier: Apache-2.0
// How far what a client bought reaches, as configured (scope=, key=).
#ifndef NGX_HTTP_X402_SCOPE_RULES_HPP
#define NGX_HTTP_X402_SCOPE_RULES_HPP

#include <string>

#include "nginx/core/ngx_http_x402_boundary.hpp"

namespace x402 {

// Of a server at the host that was asked; or all that bears a name.
enum class ScopeKind { url, location, server, name };

struct ScopeRules {
    ScopeKind scope = ScopeKind::location;
    std::string name;                         // of ScopeKind::name
    ngx_http_complex_value_t *key = nullptr;  // what the client shows, too
};

}  // namespace x402

#endif
