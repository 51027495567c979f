// SPDX-License-Identifier: Apache-2.0
// The keys under which the module seals what clients bring back
// (x402_seal_key). Lifetime: the configuration cycle.
#ifndef NGX_HTTP_X402_SEAL_KEYS_HPP
#define NGX_HTTP_X402_SEAL_KEYS_HPP

#include <memory>
#include <vector>

#include "base/token_signature.hpp"

namespace x402 {

// The first one seals, all are accepted. Never empty; each has at least
// kLeastSealKey bytes. Use a word of your own in front of what you seal.
struct SealKeys {
    std::vector<std::shared_ptr<const SecretText>> keys;
    bool *used = nullptr;  // by a location with a price
};

constexpr std::size_t kLeastSealKey = 32;

}  // namespace x402

#endif
