// SPDX-License-Identifier: Apache-2.0
// The Authorization header of a call to a facilitator: a fixed token, or a JWT
// that is signed when it is needed and cached while it is fresh.
//
// Pure: time and random bytes are arguments. The result is a secret while it is
// valid (two minutes), for use in the request only.
#ifndef X402_FACILITATOR_AUTH_TOKEN_HPP
#define X402_FACILITATOR_AUTH_TOKEN_HPP

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "facilitator/auth_key.hpp"

namespace x402 {

using RandomBytes = std::array<std::uint8_t, 16>;
// False: they are not available.
using RandomSource = bool (*)(RandomBytes &bytes);

// The endpoint that a CDP token is valid for, without scheme and default port:
// "POST api.example.com/base/verify". Precondition: `url` can be parsed as a
// facilitator's.
std::string token_use(std::string_view method, const std::string &url);

// One JWT. nullopt: no memory for a signature. Precondition: a key for it.
std::optional<std::string> mint_cdp_token(const AuthKey &key,
                                          std::string_view use,
                                          std::int64_t now,
                                          const RandomBytes &nonce);
std::optional<std::string>
mint_payai_token(const AuthKey &key, std::int64_t now, const RandomBytes &id);

// The tokens of one key in one worker.
class AuthTokens {
public:
    // Lifetime: `key` outlives this.
    explicit AuthTokens(const AuthKey &key) : key_(key) {}

    // "Bearer ...". nullopt: no token could be created.
    std::optional<std::string> authorization(std::string_view method,
                                             const std::string &url,
                                             std::int64_t now,
                                             RandomSource random);

private:
    struct Kept {
        std::string use;
        std::string token;
        std::int64_t made = 0;
    };

    std::optional<std::string> token(const std::string &use, std::int64_t now,
                                     RandomSource random);

    const AuthKey &key_;
    std::array<Kept, 4> kept_;  // few endpoints are called, each often
    std::size_t next_ = 0;      // the entry to replace next
};

}  // namespace x402

#endif
