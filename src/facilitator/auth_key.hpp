// SPDX-License-Identifier: Apache-2.0
// The credentials that x402_facilitator_auth reads from its file: an id and the
// secret that proves it.
//
// Pure: gets the bytes of the file. The text of a Problem names the expected
// form and never contains a byte of the file.
#ifndef X402_FACILITATOR_AUTH_KEY_HPP
#define X402_FACILITATOR_AUTH_KEY_HPP

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/token_signature.hpp"

namespace x402 {

enum class AuthKind {
    bearer,  // a fixed token
    cdp,     // Coinbase Developer Platform: a JWT for each endpoint
    payai,   // PayAI: one JWT for all endpoints
};

struct AuthKey {
    AuthKind kind = AuthKind::bearer;
    std::shared_ptr<const SecretText> token;  // bearer
    std::string id;                           // cdp, payai
    std::optional<SigningKey> key;            // cdp, payai
};

std::optional<AuthKind> auth_kind(std::string_view name);

// `file` is
//   bearer: the token, one line;
//   cdp, payai: the lines `id = ...` and `secret = ...`, where a PEM block may
//     continue over several lines, with empty lines and lines with # between;
//   cdp: or the JSON file of the portal, {"id"|"name","privateKey"}.
// Secrets: cdp 64 bytes (Ed25519 seed and public key) in base64 or base64url,
// or P-256 as PKCS#8 or SEC1 PEM, with line breaks or "\n"; payai PKCS#8 DER
// of an Ed25519 key in base64 or base64url, with or without "payai_sk_" in
// front.
Result<AuthKey> read_auth_key(AuthKind kind, std::string_view file);

}  // namespace x402

#endif
