// SPDX-License-Identifier: Apache-2.0
#include "policy/evm_signer.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/hex_codec.hpp"
#include "policy/evm_text_digest.hpp"
#include "vectors.hpp"

namespace x402 {
namespace {

struct Signed {
    EvmDigest digest;
    std::string signature;
    std::string address;
    std::string text;
    bool is_text = false;
};

std::vector<Signed> signatures()
{
    const JsonDocument document = read_vectors("evm-signatures.json");
    std::vector<Signed> list;
    const JsonValue vectors = document.root()["vectors"];
    for (std::size_t i = 0; i < vectors.size(); ++i) {
        const JsonValue vector = vectors.at(i);
        Signed one;
        one.digest = *hex_decode<32>(vector["digest"].string());
        const auto bytes = *hex_decode<65>(vector["signature"].string());
        one.signature.assign(bytes.begin(), bytes.end());
        one.address = vector["address"].string();
        one.is_text = vector["kind"].string() == "text";
        if (one.is_text) {
            one.text = vector["text"].string();
        }
        list.push_back(one);
    }
    EXPECT_EQ(list.size(), 12u);
    return list;
}

std::string signer(const EvmDigest &digest, const std::string &signature)
{
    const Result<EvmAddress> address = recover_evm_signer(digest, signature);
    return address ? evm_checksum_text(*address.operator->())
                   : address.problem().text;
}

TEST(EvmSigner, IsRecoveredFromWhatWalletsSign)
{
    ASSERT_TRUE(has_evm_signer());
    for (const Signed &one : signatures()) {
        EXPECT_EQ(signer(one.digest, one.signature), one.address);
        // 27 and 28, or 0 and 1.
        std::string other = one.signature;
        other[64] = static_cast<char>(other[64] - 27);
        EXPECT_EQ(signer(one.digest, other), one.address);
    }
}

TEST(EvmSigner, OfATextIsThatOfItsDigest)
{
    for (const Signed &one : signatures()) {
        if (one.is_text) {
            EXPECT_EQ(evm_text_digest(one.text), one.digest) << one.text;
            EXPECT_NE(evm_text_digest(one.text + " "), one.digest);
        }
    }
}

TEST(EvmSigner, IsAnotherOneForEachChangedByte)
{
    const Signed one = signatures().front();
    for (std::size_t i = 0; i < 64; i += 7) {
        std::string other = one.signature;
        other[i] = static_cast<char>(other[i] ^ 1);
        EXPECT_NE(signer(one.digest, other), one.address);
    }
    EvmDigest digest = one.digest;
    digest[31] ^= 1;
    EXPECT_NE(signer(digest, one.signature), one.address);
    std::string flipped = one.signature;
    flipped[64] = static_cast<char>(flipped[64] == 27 ? 28 : 27);
    EXPECT_NE(signer(one.digest, flipped), one.address);
}

TEST(EvmSigner, SignaturesInAnotherFormAreRefused)
{
    const Signed one = signatures().front();
    for (std::size_t size : {0u, 1u, 64u, 66u, 97u, 1000u}) {
        std::string other = one.signature;
        other.resize(size, '\0');
        EXPECT_NE(signer(one.digest, other).find("not 65 bytes"),
                  std::string::npos)
            << size;
    }
    for (int v : {2, 3, 26, 29, 30, 31, 35, 128, 255}) {
        std::string other = one.signature;
        other[64] = static_cast<char>(v);
        EXPECT_NE(signer(one.digest, other).find("is not 0, 1, 27 or 28"),
                  std::string::npos)
            << v;
    }
}

TEST(EvmSigner, NumbersOutOfRangeAreRefused)
{
    const Signed one = signatures().front();
    const auto order = *hex_decode<32>(
        "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    for (std::size_t place : {0u, 32u}) {
        std::string above = one.signature;
        std::copy(order.begin(), order.end(),
                  above.begin() + static_cast<long>(place));
        EXPECT_NE(signer(one.digest, above).find("out of range"),
                  std::string::npos);
        std::string zero = one.signature;
        std::fill_n(zero.begin() + static_cast<long>(place), 32, '\0');
        EXPECT_NE(signer(one.digest, zero).find("no key"), std::string::npos);
    }
    // No point has this x.
    std::string off_curve = one.signature;
    std::fill_n(off_curve.begin(), 32, '\0');
    off_curve[31] = 5;
    EXPECT_NE(signer(one.digest, off_curve).find("no key"), std::string::npos);
}

// order - s with the other v is the same signature to the curve.
TEST(EvmSigner, TheTwinWithAHighSIsRefused)
{
    const auto order = *hex_decode<32>(
        "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    for (const Signed &one : signatures()) {
        std::string twin = one.signature;
        int borrow = 0;
        for (int i = 31; i >= 0; --i) {
            const int s = static_cast<unsigned char>(
                one.signature[32 + static_cast<std::size_t>(i)]);
            const int difference =
                order[static_cast<std::size_t>(i)] - s - borrow;
            borrow = difference < 0 ? 1 : 0;
            twin[32 + static_cast<std::size_t>(i)] =
                static_cast<char>(difference & 0xff);
        }
        twin[64] = static_cast<char>(twin[64] == 27 ? 28 : 27);
        EXPECT_NE(signer(one.digest, twin).find("upper half"),
                  std::string::npos);
    }
}

}  // namespace
}  // namespace x402
