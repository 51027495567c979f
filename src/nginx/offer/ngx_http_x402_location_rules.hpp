// SPDX-License-Identifier: Apache-2.0
// The rules of a location beside its offer, as configured: about payers, about
// what an answer costs by what it says of itself, and about clients that have
// paid and come back.
#ifndef NGX_HTTP_X402_LOCATION_RULES_HPP
#define NGX_HTTP_X402_LOCATION_RULES_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/secret_memory.hpp"
#include "nginx/core/ngx_http_x402_boundary.hpp"
#include "policy/network_table.hpp"
#include "session/usage_table.hpp"

namespace x402 {

// --- payers: x402_deny, x402_limit_payer, x402_quota, x402_free

struct PayerLimit {
    ngx_shm_zone_t *zone = nullptr;
    std::string rule;
    UsageRate rate;
};

struct PayerQuota {
    ngx_shm_zone_t *zone = nullptr;
    std::string rule;
    UsageQuota quota;
    ngx_http_complex_value_t *key = nullptr;  // nullptr: the payer
};

struct PayerRules {
    // Each is inherited by itself; `written` also where it is off.
    ngx_array_t *deny = nullptr;  // of ngx_http_complex_value_t
    bool deny_written = false;
    std::optional<PayerLimit> limit;
    bool limit_written = false;
    std::vector<PayerQuota> quotas;
    bool quotas_written = false;
    std::optional<PayerQuota> free;
    bool free_written = false;

    // Whether something is asked of a payer.
    bool ask_payer() const { return deny || limit || !quotas.empty(); }
};

// By merge.
inline void merge_payer_rules(LocationConf &conf, const LocationConf &outer)
{
    if (conf.payer_rules == nullptr || outer.payer_rules == nullptr) {
        if (conf.payer_rules == nullptr) {
            conf.payer_rules = outer.payer_rules;
        }
        return;
    }
    PayerRules &own = *conf.payer_rules;
    const PayerRules &around = *outer.payer_rules;
    if (!own.deny_written) {
        own.deny = around.deny;
    }
    if (!own.limit_written) {
        own.limit = around.limit;
    }
    if (!own.quotas_written) {
        own.quotas = around.quotas;
    }
    if (!own.free_written) {
        own.free = around.free;
    }
}

// --- usage: x402_charge, and whose stream is not held for it (x402_stream)

struct UsageTerms {
    struct Term {
        ngx_http_complex_value_t value{};
        ngx_http_complex_value_t factor{};
        bool has_factor = false;
    };
    // Summed; empty: x402_charge off.
    std::vector<Term> terms;
    // An answer that does not say it costs the maximum, and not nothing.
    bool unreadable_is_maximum = false;
    ConfOrigin origin{};
};

struct StreamRules {
    // Settlements that the payer needs to have a stream at once; 0: off.
    unsigned trust = 0;
    std::string most;  // the highest maximum, as a price; empty: any
    // A stream that its client leaves costs what it has said so far.
    bool cut_is_read = false;
    bool *used = nullptr;  // by a location with x402_charge
};

// --- returning clients: x402_pass, x402_sign_in, x402_seal_key

// How far what a client bought reaches (scope=, key=). Of a server at the host
// that was asked; or all that bears a name.
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
