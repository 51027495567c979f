// SPDX-License-Identifier: Apache-2.0
// Signing keys for tokens, offers and receipts, signatures of others, and
// random bytes, by OpenSSL.
//
// Two kinds of key: Ed25519 (JWS "EdDSA") and ECDSA on P-256 (JWS "ES256"). The
// text of a Problem never contains a byte of a key.
#ifndef X402_BASE_TOKEN_SIGNATURE_HPP
#define X402_BASE_TOKEN_SIGNATURE_HPP

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret_memory.hpp"

namespace x402 {

enum class SignatureKind { eddsa, es256 };

// What checks a signature. `x` is the key of Ed25519; x and y are the point on
// P-256, 32 bytes each, big-endian.
struct PublicKey {
    SignatureKind kind = SignatureKind::eddsa;
    std::string x;
    std::string y;
};

// Of a PEM block with a private or a public key ("PUBLIC KEY"). Problem:
// unreadable, encrypted, or of another kind.
Result<PublicKey> read_public_pem(std::string_view pem);

// A private key. Copies share it; the last one erases it. OpenSSL has it for
// the time of a signature only, because its objects would be in a core dump.
class SigningKey {
public:
    // Problem: not 32 bytes.
    static Result<SigningKey> from_ed25519_seed(std::string_view seed);
    // PKCS#8 ("PRIVATE KEY") or SEC1 ("EC PRIVATE KEY"), unencrypted. Problem:
    // unreadable, encrypted, or not a key on P-256.
    static Result<SigningKey> from_p256_pem(std::string_view pem);
    // The same, or an Ed25519 key as PKCS#8.
    static Result<SigningKey> from_pem(std::string_view pem);

    SignatureKind kind() const { return public_.kind; }
    // The public key of an Ed25519 key; empty for others.
    std::string public_bytes() const;
    const PublicKey &public_key() const { return public_; }
    // 64 bytes: the signature of Ed25519, or r and s of ES256, big-endian, as
    // in JWS (RFC 7518, 3.4). nullopt: OpenSSL has no memory or no randomness.
    std::optional<std::string> sign(std::string_view text) const;

private:
    SigningKey(SecretText number, PublicKey its_public);

    // 32 bytes: the seed of Ed25519, or the number of P-256 in the byte order
    // of this machine.
    std::shared_ptr<const SecretText> number_;
    PublicKey public_;
};

// Whether the 64 bytes are the Ed25519 signature of the text under the public
// key of 32 bytes. Keys of small order are refused: under them, anything is
// signed.
bool verify_ed25519(std::string_view key, std::string_view text,
                    std::string_view signature);

// Fills from the system's random generator; false: it is not available.
bool fill_random(void *bytes, std::size_t size);

}  // namespace x402

#endif
