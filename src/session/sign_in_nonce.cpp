// SPDX-License-Identifier: Apache-2.0
#include "session/sign_in_nonce.hpp"

#include <algorithm>

#include "base/hex_codec.hpp"
#include "base/sha256_digest.hpp"

namespace x402 {

namespace {

// Under the same key other texts are sealed: this word sets nonces apart.
constexpr std::string_view kPurpose = "x402 sign-in\n";
constexpr std::size_t kTimeBytes = 4;
constexpr std::size_t kOpenBytes = kTimeBytes + sizeof(NonceSeed);
constexpr std::size_t kSealBytes = 16;
using NonceBytes = std::array<std::uint8_t, kOpenBytes + kSealBytes>;

Digest seal_of(const NonceBytes &nonce, std::string_view place,
               std::string_view key)
{
    std::string text(kPurpose);
    text.append(reinterpret_cast<const char *>(nonce.data()), kOpenBytes);
    text += place;
    return hmac_sha256(key, text);
}

bool is_sealed(const NonceBytes &nonce, std::string_view place,
               std::string_view key)
{
    // The rest of the seal is not sent: it is taken as right.
    Digest presented = seal_of(nonce, place, key);
    const Digest wanted = presented;
    std::copy_n(nonce.begin() + kOpenBytes, kSealBytes, presented.begin());
    return equal_secrets(
        wanted,
        {reinterpret_cast<const char *>(presented.data()), presented.size()});
}

}  // namespace

std::string make_sign_in_nonce(std::int64_t now, const NonceSeed &seed,
                               std::string_view place, std::string_view key)
{
    NonceBytes nonce{};
    for (std::size_t i = 0; i < kTimeBytes; i++) {
        nonce[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(now)
                                             >> (8 * (kTimeBytes - 1 - i)));
    }
    std::copy(seed.begin(), seed.end(), nonce.begin() + kTimeBytes);
    Digest seal = seal_of(nonce, place, key);
    std::copy_n(seal.begin(), kSealBytes, nonce.begin() + kOpenBytes);
    return hex_encode(nonce.data(), nonce.size());
}

NonceFault check_sign_in_nonce(std::string_view text, std::string_view place,
                               const std::vector<std::string_view> &keys,
                               std::int64_t now, std::int64_t &issued)
{
    std::optional<NonceBytes> nonce =
        hex_decode<sizeof(NonceBytes)>("0x" + std::string(text));
    // One spelling: what was used once is known by its text.
    if (!nonce || hex_encode(nonce->data(), nonce->size()) != text) {
        return NonceFault::forged;
    }
    bool sealed =
        std::any_of(keys.begin(), keys.end(), [&](std::string_view key) {
            return is_sealed(*nonce, place, key);
        });
    if (!sealed) {
        return NonceFault::forged;
    }
    issued = 0;
    for (std::size_t i = 0; i < kTimeBytes; i++) {
        issued = issued << 8 | (*nonce)[i];
    }
    if (issued > now + kSignInClockSeconds) {
        return NonceFault::not_yet;
    }
    return issued + kSignInSeconds > now ? NonceFault::none
                                         : NonceFault::expired;
}

}  // namespace x402
