// SPDX-License-Identifier: Apache-2.0
// Payers that come back by a signature, as configured: x402_sign_in.
#ifndef NGX_HTTP_X402_SIGN_IN_RULES_HPP
#define NGX_HTTP_X402_SIGN_IN_RULES_HPP

#include <cstdint>

#include "nginx/offer/ngx_http_x402_scope_rules.hpp"

namespace x402 {

struct SignInRules : ScopeRules {
    bool off = false;
    std::uint32_t seconds = 0;  // that a payment opens the scope for
    std::string statement;      // what wallets show; empty: nothing
    // https://api.example.com; empty: the server's names and port.
    std::string site;
    ngx_shm_zone_t *zone = nullptr;    // of what was bought
    ngx_shm_zone_t *nonces = nullptr;  // of those that were used
    ConfOrigin origin{};
};

}  // namespace x402

#endif
