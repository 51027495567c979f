// SHA-256 and SHA-512/256, by OpenSSL, which token_signature.cpp alone includes
// beside it.
#ifndef X402_BASE_SHA256_DIGEST_HPP
#define X402_BASE_SHA256_DIGEST_HPP

#include <array>
#include <cstdint>
#include <string_view>

namespace x402 {

using Digest = std::array<std::uint8_t, 32>;

// Throws std::bad_alloc when OpenSSL cannot get memory or the digest; there is
// no other failure.
Digest sha256(std::string_view bytes);

// SHA-512/256 (FIPS 180-4, 5.3.6.2), by which Algorand names transactions.
Digest sha512_256(std::string_view bytes);

}  // namespace x402

#endif
