// SPDX-License-Identifier: Apache-2.0
// The key that identifies a payment: two payments with one key are the same.
#ifndef X402_POLICY_CLAIM_KEY_HPP
#define X402_POLICY_CLAIM_KEY_HPP

#include <optional>
#include <string_view>

#include "base/json_document.hpp"
#include "base/sha256_digest.hpp"
#include "policy/exact_evm_payload.hpp"
#include "policy/permit2_payload.hpp"
#include "protocol/payment_requirements.hpp"

namespace x402 {

// EVM EIP-3009: chain id, token (20 bytes), from (20 bytes), nonce (32 bytes),
// over canonical bytes only: header name, JSON spelling, letter case, `extra`
// and signature never matter. `network` and `asset`: of the option that the
// payment names. nullopt: they have no EVM form (then no offer can match).
std::optional<Digest>
eip3009_claim_key(std::string_view network, std::string_view asset,
                  const Eip3009Authorization &authorization);

// EVM Permit2, schemes exact and upto: chain id, the word permit2, from (20
// bytes), nonce (256 bits). No token: Permit2 counts nonces for all tokens
// together. nullopt: not an EVM network.
std::optional<Digest>
permit2_claim_key(std::string_view network,
                  const Permit2Authorization &authorization);

// All others: the name of the form, the canonical network, and what identifies
// the payment: a digest, an id, or a canonical text.
Digest network_claim_key(std::string_view form, std::string_view network,
                         std::string_view identity);

// The terms of a payment option, whatever their spelling: scheme, network,
// asset and receiver. The amounts of two claims with the same digest can be
// compared.
Digest terms_digest(const PaymentRequirements &requirements);

// What a payment is spent on.
struct ResourceParts {
    std::string_view server;  // its name, as configured; may be empty
    unsigned port = 0;        // it listens on
    std::string_view method;
    std::string_view host;  // as the client says
    std::string_view request_uri;
    // What stands for the request body; empty: there is none, or nothing
    // depends on it.
    std::string_view body;
};

// SHA-256 over the parts with unambiguous separators.
Digest resource_digest(const ResourceParts &parts);

}  // namespace x402

#endif
