// SPDX-License-Identifier: Apache-2.0
// SHA-256, SHA-512/256 and SHA3-256, by OpenSSL. In the pure rooms only this
// file and token_signature.cpp include OpenSSL.
#ifndef X402_BASE_SHA256_DIGEST_HPP
#define X402_BASE_SHA256_DIGEST_HPP

#include <array>
#include <cstdint>
#include <string_view>

namespace x402 {

using Digest = std::array<std::uint8_t, 32>;

// Throws std::bad_alloc if OpenSSL cannot get memory or the digest; there is no
// other failure.
Digest sha256(std::string_view bytes);

// SHA-512/256 (FIPS 180-4, 5.3.6.2), which Algorand uses for transaction ids.
Digest sha512_256(std::string_view bytes);

// SHA3-256 (FIPS 202), which is not keccak256(): another padding.
Digest sha3_256(std::string_view bytes);

// HMAC-SHA256 (RFC 2104). Throws as sha256().
Digest hmac_sha256(std::string_view key, std::string_view bytes);

// Whether a client knows this digest, in a time that does not depend on where
// they differ.
bool equal_secrets(const Digest &digest, std::string_view presented);

}  // namespace x402

#endif
