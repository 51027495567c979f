// The Authorization header of a call to a facilitator: a fixed token, or a JWT
// that is signed when it is needed and kept while it is fresh.
//
// Pure: time and random bytes are given. What is returned is a secret for as
// long as it lives (two minutes) and belongs in the request alone.
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
// False: there were none.
using RandomSource = bool (*)(RandomBytes &bytes);

// What a CDP token is good for: "POST api.example.com/base/verify". Neither
// scheme nor a port that goes without saying. Precondition: `url` can be parsed
// as a facilitator's.
std::string token_use(std::string_view method, const std::string &url);

// One JWT. nullopt: no memory for a signature. Precondition: a key of the kind.
std::optional<std::string> mint_cdp_token(const AuthKey &key,
                                          std::string_view use,
                                          std::int64_t now,
                                          const RandomBytes &nonce);
std::optional<std::string>
mint_payai_token(const AuthKey &key, std::int64_t now, const RandomBytes &id);

// The tokens of one key, as one worker needs them.
class AuthTokens {
public:
    // Lifetime: `key` outlives this.
    explicit AuthTokens(const AuthKey &key) : key_(key) {}

    // "Bearer ...". nullopt: no token could be made.
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
    std::array<Kept, 4> kept_;  // of few endpoints each is asked often
    std::size_t next_ = 0;      // to be replaced
};

}  // namespace x402

#endif
