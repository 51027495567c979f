// SPDX-License-Identifier: Apache-2.0
// What a client that has paid can come back with, as configured: x402_pass,
// x402_sign_in, and x402_seal_key. First how far what it bought reaches
// (scope=, key=).
#ifndef NGX_HTTP_X402_RETURNING_RULES_HPP
#define NGX_HTTP_X402_RETURNING_RULES_HPP

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/secret_memory.hpp"
#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "policy/network_table.hpp"

namespace x402 {

// Of a server at the host that was asked; or all that bears a name.
enum class ScopeKind { url, location, server, name };

struct ScopeRules {
    ScopeKind scope = ScopeKind::location;
    std::string name;                         // of ScopeKind::name
    ngx_http_complex_value_t *key = nullptr;  // what the client shows, too
};

// The keys under which the module seals what clients bring back
// (x402_seal_key). Lifetime: the configuration cycle.

// The first one seals, all are accepted. Never empty; each has at least
// kLeastSealKey bytes. Use a word of your own in front of what you seal.
struct SealKeys {
    std::vector<std::shared_ptr<const SecretText>> keys;
    bool *used = nullptr;  // by a location with a price
};

constexpr std::size_t kLeastSealKey = 32;

// The passes that a location sells with its content, as configured: x402_pass.

struct PassRules : ScopeRules {
    bool off = false;
    std::uint32_t seconds = 0;
    std::uint32_t requests = 0;  // 0: not counted
    bool header = true;
    bool cookie = true;
    ngx_shm_zone_t *zone = nullptr;  // of what is counted
    SealKeys *keys = nullptr;        // nullptr: those of x402_seal_key
    ConfOrigin origin{};
};

// nullptr: none is written. Precondition: conf.pass.
inline const SealKeys *pass_keys(const LocationConf &conf)
{
    return conf.pass->keys ? conf.pass->keys : conf.seal_keys;
}

// Payers that come back by a signature, as configured: x402_sign_in.

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
