// SPDX-License-Identifier: Apache-2.0
// Payers that come back by a signature, as configured: x402_sign_in.
#ifndef NGX_HTTP_X402_SIGN_IN_RULES_HPP
#define NGX_HTTP_X402_SIGN_IN_RULES_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "nginx/core/ngx_http_x402_conf.hpp"
#include "nginx/offer/ngx_http_x402_scope_rules.hpp"
#include "policy/network_table.hpp"

namespace x402 {

struct SignInRules : ScopeRules {
    bool off = false;
    bool only = false;                // a signature opens it, without a price
    std::vector<std::string> chains;  // of `only`, CAIP-2; none: x402_network
    std::uint32_t seconds = 0;        // that a payment opens the scope for
    std::string statement;            // what wallets show; empty: nothing
    // https://api.example.com; empty: the server's names and port.
    std::string site;
    ngx_shm_zone_t *zone = nullptr;    // of what was bought
    ngx_shm_zone_t *nonces = nullptr;  // of those that were used
    ConfOrigin origin{};
};

// Such a location has an offer without ways to pay (`accepts` is empty), and
// takes no payment.
inline bool asks_signature_alone(const LocationConf &conf)
{
    return conf.sign_in && conf.sign_in->only;
}

// Of which its accounts are, CAIP-2. Empty: it does not say.
inline std::vector<std::string> sign_in_chains(const LocationConf &conf)
{
    std::vector<std::string> chains = conf.sign_in->chains;
    if (chains.empty() && conf.network.len != 0) {
        chains.push_back(
            caip2_network(copy(conf.network)).value_or(copy(conf.network)));
    }
    return chains;
}

}  // namespace x402

#endif
