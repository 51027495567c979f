// SPDX-License-Identifier: Apache-2.0
#include "base/digest_memo.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace x402 {
namespace {

TEST(DigestMemo, IsTheDigestAlsoTheSecondTime)
{
    auto memo = std::make_unique<DigestMemo>();
    for (int round = 0; round < 2; ++round) {
        for (std::size_t size = 0; size < DigestMemo::kLongest + 3; ++size) {
            std::string text(size, 'x');
            EXPECT_EQ(memo->digest(text), sha256(text)) << size;
        }
    }
}

// More texts than places: each place changes its text many times.
TEST(DigestMemo, TextsThatShareAPlaceAreToldApart)
{
    auto memo = std::make_unique<DigestMemo>();
    for (int round = 0; round < 2; ++round) {
        for (std::size_t i = 0; i < 20 * DigestMemo::kPlaces; ++i) {
            std::string text = "resource " + std::to_string(i);
            ASSERT_EQ(memo->digest(text), sha256(text)) << text;
        }
    }
}

TEST(DigestMemo, ATextIsKnownByAllOfItsBytes)
{
    auto memo = std::make_unique<DigestMemo>();
    std::string text("GET\0/a", 6);
    memo->digest(text);
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string other = text;
        other[i] ^= 1;
        EXPECT_EQ(memo->digest(other), sha256(other));
        EXPECT_EQ(memo->digest(text), sha256(text));
        EXPECT_EQ(memo->digest(text.substr(0, i)), sha256(text.substr(0, i)));
    }
}

TEST(DigestMemo, OneOfEachThread)
{
    EXPECT_EQ(remembered_sha256("payer"), sha256("payer"));
    EXPECT_EQ(remembered_sha256("payer"), sha256("payer"));
}

}  // namespace
}  // namespace x402
