// SPDX-License-Identifier: Apache-2.0
// Nonces of sign-in-with-x that need no memory until they are used: a moment
// and randomness, sealed together with the place that they were made for.
#ifndef X402_SESSION_SIGN_IN_NONCE_HPP
#define X402_SESSION_SIGN_IN_NONCE_HPP

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace x402 {

// From its making a nonce can be used for so long.
constexpr std::int64_t kSignInSeconds = 300;
// Clocks of machines with the same key may differ by so much.
constexpr std::int64_t kSignInClockSeconds = 60;

using NonceSeed = std::array<std::uint8_t, 12>;

// 64 hex digits. `place`: everything that the nonce is good for. `key`: 32
// bytes or more.
std::string make_sign_in_nonce(std::int64_t now, const NonceSeed &seed,
                               std::string_view place, std::string_view key);

enum class NonceFault {
    none,
    forged,   // by none of the keys, or for another place
    not_yet,  // clocks differ
    expired,
};

// `issued`: unix seconds, filled unless it is forged.
NonceFault check_sign_in_nonce(std::string_view nonce, std::string_view place,
                               const std::vector<std::string_view> &keys,
                               std::int64_t now, std::int64_t &issued);

}  // namespace x402

#endif
