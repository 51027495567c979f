// SPDX-License-Identifier: Apache-2.0
#include "base/sha256_digest.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/hex_codec.hpp"

namespace x402 {
namespace {

std::string hex_of(std::string_view bytes)
{
    Digest digest = sha256(bytes);
    return hex_encode(digest.data(), digest.size());
}

// FIPS 180-4 examples.
TEST(Sha256Digest, EqualsTheStandardsExamples)
{
    EXPECT_EQ(
        hex_of(""),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(
        hex_of("abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(
        hex_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

std::string hmac_hex(const std::string &key, const std::string &text)
{
    Digest digest = hmac_sha256(key, text);
    return hex_encode(digest.data(), digest.size());
}

TEST(HmacSha256, EqualsRfc4231)
{
    EXPECT_EQ(hmac_hex(std::string(20, '\x0b'), "Hi There"),
              "b0344c61d8db38535ca8afceaf0bf12b"
              "881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(hmac_hex("Jefe", "what do ya want for nothing?"),
              "5bdcc146bf60754e6a042426089575c7"
              "5a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hmac_hex(std::string(131, '\xaa'),
                       "Test Using Larger Than Block-Size Key - Hash Key "
                       "First"),
              "60e431591ee0b67f0d8a26aacbf5b77f"
              "8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacSha256, OfAKeyOfOneBlockAndOfOneByteMore)
{
    EXPECT_EQ(hmac_hex(std::string(64, 'k'), "one block"),
              "c5959f82b3eddc9b5ca0eff7ef62f016"
              "6be5222d4de9c7049c4f0149986dc1f1");
    EXPECT_EQ(hmac_hex(std::string(65, 'k'), ""),
              "41f1c4cc3107cd5b8d92460f61032902"
              "bfdb06484eef17e861b83a5012d3b7f3");
}

TEST(Sha512256, DigestsAsFips180Says)
{
    Digest digest = sha512_256("abc");
    EXPECT_EQ(hex_encode(digest.data(), digest.size()),
              "53048e2681941ef99b2e29b76b4c7dab"
              "e4c2d0c634fc6d46e0e2f13107e7af23");
}

TEST(Sha3256, DigestsAsFips202Says)
{
    Digest digest = sha3_256("abc");
    EXPECT_EQ(
        hex_encode(digest.data(), digest.size()),
        "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
}

}  // namespace
}  // namespace x402
