// SPDX-License-Identifier: Apache-2.0
// The number in a PEM file with a private key. OpenSSL can read such files,
// too, and leaves copies of the key in memory; this does not.
#ifndef X402_BASE_PRIVATE_PEM_HPP
#define X402_BASE_PRIVATE_PEM_HPP

#include <string_view>

#include "base/secret_memory.hpp"

namespace x402 {

enum class PrivatePemKind {
    unreadable,  // or encrypted
    other,       // neither of these two
    ed25519,
    p256,
};

// Whether a block of the text calls itself a private key.
bool has_private_pem(std::string_view pem);

// PKCS#8 ("PRIVATE KEY", RFC 5958 and 8410) or SEC1 ("EC PRIVATE KEY", RFC
// 5915), unencrypted; other blocks may stand before it. `number`: 32 bytes,
// the seed of Ed25519, or the number of P-256, big-endian, not checked.
PrivatePemKind read_private_pem(std::string_view pem, SecretText &number);

}  // namespace x402

#endif
