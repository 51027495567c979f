// SPDX-License-Identifier: Apache-2.0
#include "base/token_signature.hpp"

#include <openssl/err.h>

#include <gtest/gtest.h>

#include "base/hex_codec.hpp"

namespace x402 {
namespace {

std::string bytes_of(std::string_view hex)
{
    std::string out(hex.size() / 2, '\0');
    EXPECT_TRUE(hex_decode("0x" + std::string(hex),
                           reinterpret_cast<std::uint8_t *>(&out[0]),
                           out.size()));
    return out;
}

// RFC 8032, 7.1, test 2.
TEST(TokenSignature, SignsWithEd25519)
{
    auto key = SigningKey::from_ed25519_seed(bytes_of(
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
    ASSERT_TRUE(key);
    EXPECT_EQ(key->kind(), SignatureKind::eddsa);
    EXPECT_EQ(key->public_bytes(),
              bytes_of("3d4017c3e843895a92b70aa74d1b7ebc"
                       "9c982ccf2ec4968cc0cd55f12af4660c"));
    EXPECT_EQ(key->sign("\x72"), bytes_of("92a009a9f0d4cab8720e820b5f642540"
                                          "a2b27b5416503f8fb3762223ebdb69da"
                                          "085ac1e43e15996e458f3613d0f11d8c"
                                          "387b2eaeb4302aeeb00d291612bb0c00"));
}

TEST(TokenSignature, RefusesOtherSeeds)
{
    EXPECT_FALSE(SigningKey::from_ed25519_seed(""));
    EXPECT_FALSE(SigningKey::from_ed25519_seed(std::string(31, 'a')));
    EXPECT_FALSE(SigningKey::from_ed25519_seed(std::string(64, 'a')));
}

// Other users of the thread must not find errors that are not their own.
TEST(TokenSignature, LeavesNoErrorsBehind)
{
    for (const char *pem :
         {"", "a",
          "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE "
          "KEY-----\n"}) {
        auto key = SigningKey::from_p256_pem(pem);
        ASSERT_FALSE(key);
        EXPECT_NE(key.problem().text, "");
        EXPECT_EQ(ERR_peek_error(), 0u);
    }
}

// An encrypted key must not make nginx ask the terminal.
TEST(TokenSignature, AsksForNoPassword)
{
    EXPECT_FALSE(SigningKey::from_p256_pem(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
        "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjmFfNPw4HCpQICCAAw\n"
        "-----END ENCRYPTED PRIVATE KEY-----\n"));
    EXPECT_FALSE(SigningKey::from_p256_pem(
        "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
        "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
        "MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49\n"
        "-----END EC PRIVATE KEY-----\n"));
}

TEST(TokenSignature, FillsWithRandomBytes)
{
    std::string one(16, '\0');
    std::string other(16, '\0');
    ASSERT_TRUE(fill_random(&one[0], one.size()));
    ASSERT_TRUE(fill_random(&other[0], other.size()));
    EXPECT_NE(one, other);
}

}  // namespace
}  // namespace x402
