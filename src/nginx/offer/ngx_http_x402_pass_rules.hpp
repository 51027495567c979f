// SPDX-License-Identifier: Apache-2.0
// The passes that a location sells with its content, as configured: x402_pass.
#ifndef NGX_HTTP_X402_PASS_RULES_HPP
#define NGX_HTTP_X402_PASS_RULES_HPP

#include <cstdint>

#include "nginx/offer/ngx_http_x402_scope_rules.hpp"
#include "nginx/offer/ngx_http_x402_seal_keys.hpp"

namespace x402 {

struct PassRules : ScopeRules {
    bool off = false;
    std::uint32_t seconds = 0;
    std::uint32_t requests = 0;  // 0: not counted
    bool header = true;
    bool cookie = true;
    ngx_http_complex_value_t *key =
        nullptr;                     // what the client has to show, too
    ngx_shm_zone_t *zone = nullptr;  // of what is counted
    SealKeys *keys = nullptr;        // nullptr: those of x402_seal_key
    ConfOrigin origin{};
};

// nullptr: none is written. Precondition: conf.pass.
inline const SealKeys *pass_keys(const LocationConf &conf)
{
    return conf.pass->keys ? conf.pass->keys : conf.seal_keys;
}

}  // namespace x402

#endif
