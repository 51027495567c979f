// SPDX-License-Identifier: Apache-2.0
#include "base/web_signature.hpp"

#include <gtest/gtest.h>

#include "base/base64_codec.hpp"
#include "facilitator/auth_keys.hpp"

namespace x402 {
namespace {

// The key of RFC 7515, A.3.1, which names its public part.
constexpr char kEs256Jwk[] =
    R"({"kty":"EC","crv":"P-256",)"
    R"("x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","alg":"ES256"})";

// RFC 8037, A.4: the signature of a key that A.1 names.
TEST(WebSignature, IsThatOfTheStandard)
{
    auto seed = base64url_decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    auto key = SigningKey::from_ed25519_seed(*seed);
    ASSERT_TRUE(key);
    EXPECT_EQ(
        compact_jws(key.value(), R"({"alg":"EdDSA"})",
                    "Example of Ed25519 signing"),
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5Bh"
        "VsPt9g7sVvpAr_MuM0KAg");
    EXPECT_EQ(public_jwk(key->public_key()),
              R"({"kty":"OKP","crv":"Ed25519",)"
              R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",)"
              R"("alg":"EdDSA"})");
}

TEST(WebSignature, KeysOfBothKindsAndForms)
{
    for (const char *pem : {kPkcs8Pem, kSec1Pem}) {
        auto key = SigningKey::from_pem(pem);
        ASSERT_TRUE(key) << key.problem().text;
        EXPECT_EQ(key->kind(), SignatureKind::es256);
        EXPECT_EQ(public_jwk(key->public_key()), kEs256Jwk);
        EXPECT_EQ(key->public_bytes(), "");
        auto read = read_public_pem(pem);
        ASSERT_TRUE(read);
        EXPECT_EQ(public_jwk(read.value()), kEs256Jwk);
    }
    auto key = SigningKey::from_pem(kEd25519Pem);
    ASSERT_TRUE(key) << key.problem().text;
    EXPECT_EQ(key->kind(), SignatureKind::eddsa);
    EXPECT_EQ(key->public_key().x, key->public_bytes());
    EXPECT_EQ(key->public_key().y, "");
    auto jws = compact_jws(key.value(), "{}", "a");
    ASSERT_TRUE(jws);
    EXPECT_EQ(jws->substr(0, 7), "e30.YQ.");
}

TEST(WebSignature, OtherKeysAreRefused)
{
    for (const char *pem : {kP384Pem, "", "-----BEGIN PRIVATE KEY-----\n"}) {
        EXPECT_FALSE(SigningKey::from_pem(pem)) << pem;
        EXPECT_FALSE(read_public_pem(pem)) << pem;
    }
    auto refused = SigningKey::from_pem(kP384Pem);
    EXPECT_NE(refused.problem().text.find("Ed25519 or EC P-256"),
              std::string::npos);
}

TEST(WebSignature, APublicKeyIsPublishedButSignsNothing)
{
    constexpr char kPublic[] =
        "-----BEGIN PUBLIC KEY-----\n"
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
        "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
        "-----END PUBLIC KEY-----\n";
    EXPECT_FALSE(SigningKey::from_pem(kPublic));
    auto read = read_public_pem(kPublic);
    ASSERT_TRUE(read);
    EXPECT_EQ(public_jwk(read.value()), kEs256Jwk);
}

}  // namespace
}  // namespace x402
