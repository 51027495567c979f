// SPDX-License-Identifier: Apache-2.0
// SHA-1, by OpenSSL: for what others have named by it. Nothing of this module
// depends on its strength.
#ifndef X402_BASE_SHA1_DIGEST_HPP
#define X402_BASE_SHA1_DIGEST_HPP

#include <array>
#include <cstdint>
#include <string_view>

namespace x402 {

// Throws std::bad_alloc if OpenSSL cannot get memory or the digest; there is no
// other failure.
std::array<std::uint8_t, 20> sha1(std::string_view bytes);

}  // namespace x402

#endif
