// SPDX-License-Identifier: Apache-2.0
#include "base/web_signature.hpp"

#include "base/base64_codec.hpp"
#include "base/json_text.hpp"

namespace x402 {

std::string_view signature_algorithm(SignatureKind kind)
{
    return kind == SignatureKind::es256 ? "ES256" : "EdDSA";
}

std::optional<std::string> compact_jws(const SigningKey &key,
                                       std::string_view header,
                                       std::string_view payload)
{
    std::string text =
        base64url_encode(header) + "." + base64url_encode(payload);
    auto signature = key.sign(text);
    if (!signature) {
        return std::nullopt;
    }
    return text + "." + base64url_encode(*signature);
}

std::string public_jwk(const PublicKey &key)
{
    bool on_curve = key.kind == SignatureKind::es256;
    std::string jwk = "{";
    append_json_member(jwk, "kty", on_curve ? "EC" : "OKP");
    append_json_member(jwk, "crv", on_curve ? "P-256" : "Ed25519");
    append_json_member(jwk, "x", base64url_encode(key.x));
    if (on_curve) {
        append_json_member(jwk, "y", base64url_encode(key.y));
    }
    append_json_member(jwk, "alg", signature_algorithm(key.kind));
    return jwk + "}";
}

}  // namespace x402
