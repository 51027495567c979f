// SPDX-License-Identifier: Apache-2.0
// A JSON Web Signature in its compact form (RFC 7515, 7.1), and the public key
// that checks it as a JSON Web Key (RFC 7517, RFC 8037).
#ifndef X402_BASE_WEB_SIGNATURE_HPP
#define X402_BASE_WEB_SIGNATURE_HPP

#include <optional>
#include <string>
#include <string_view>

#include "base/token_signature.hpp"

namespace x402 {

// "EdDSA" or "ES256" (RFC 7518, 3.1; RFC 8037, 3.1).
std::string_view signature_algorithm(SignatureKind kind);

// header.payload.signature, each in base64url. Both are JSON texts, used byte
// for byte. nullopt: as SigningKey::sign().
std::optional<std::string> compact_jws(const SigningKey &key,
                                       std::string_view header,
                                       std::string_view payload);

// {"kty":...,"crv":...,"x":...[,"y":...],"alg":...}: nothing of it is secret.
std::string public_jwk(const PublicKey &key);

}  // namespace x402

#endif
