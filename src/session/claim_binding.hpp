// SPDX-License-Identifier: Apache-2.0
// What a payment was taken for, and whether that answers a request: the one
// comparison behind everything that is answered from a claim, be it presented
// again, owed, unknown, older, named or of scheme upto.
#ifndef X402_SESSION_CLAIM_BINDING_HPP
#define X402_SESSION_CLAIM_BINDING_HPP

#include <array>
#include <cstdint>

#include "base/sha256_digest.hpp"

namespace x402 {

// Atomic units as a 256-bit integer, big-endian: compares as a number.
using AmountBytes = std::array<std::uint8_t, 32>;

struct ClaimBinding {
    // Server, method, host, request URI, and the request body where price or
    // cost can depend on it (policy/claim_key.hpp, resource_digest).
    Digest resource{};
    // Scheme, network, asset and receiver (terms_digest).
    Digest terms{};
    AmountBytes asked{};  // for scheme upto: the most that may be charged
    AmountBytes paid{};   // what settle was asked for; `asked` until then
};

// Whether a payment that was taken for `bought` answers a request that asks for
// `wanted`: the same resource under the same terms, for no less than is asked
// for now. Money: never compare parts of a binding anywhere else.
bool covers(const ClaimBinding &bought, const ClaimBinding &wanted);

// Whether what was paid is enough for content that has cost `cost`, which for
// scheme upto is known only when it was made.
bool pays_for(const ClaimBinding &bought, const AmountBytes &cost);

}  // namespace x402

#endif
