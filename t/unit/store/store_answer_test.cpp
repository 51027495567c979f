// SPDX-License-Identifier: Apache-2.0
// Answers that no script gives: each of them counts as none.
#include "store/store_answer.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace x402 {
namespace {

constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();

std::string number(std::int64_t value)
{
    std::string bytes;
    for (int shift = 56; shift >= 0; shift -= 8) {
        bytes += static_cast<char>(static_cast<std::uint64_t>(value) >> shift);
    }
    return bytes;
}

// The head of a PAID claim, as src/store/lua/common.lua writes it.
std::string head(std::int64_t lease, std::int64_t expires)
{
    return std::string("\x02\x04\x01\x00\x00", 5) + number(lease)
           + number(expires) + std::string(16, 't');
}

StoreAnswer lost(std::int64_t now, const std::string &claim)
{
    std::string bytes = "*3\r\n$4\r\nlost\r\n:" + std::to_string(now) + "\r\n$"
                        + std::to_string(claim.size()) + "\r\n" + claim
                        + "\r\n";
    RespReply reply;
    EXPECT_EQ(reply.read(bytes), RespReply::State::complete);
    StoreAnswer answer =
        read_store_answer(StoreScript::resume, Digest{}, reply);
    answer.claim.record = {};
    return answer;
}

TEST(StoreAnswer, HasMomentsThatThereCanBe)
{
    StoreAnswer good = lost(1000, head(1500, 1800000000));
    EXPECT_EQ(good.verdict, StoreVerdict::lost);
    EXPECT_EQ(good.claim.lease_left, 500);
    EXPECT_EQ(good.claim.expires, 1800000000);
    EXPECT_EQ(lost(kLast, head(0, 1)).claim.lease_left, 0);
    EXPECT_EQ(lost(0, head(kLast, kLast)).claim.lease_left, kLast);
    for (std::int64_t bad : {std::int64_t{-1}, -kLast - 1}) {
        EXPECT_EQ(lost(bad, head(kLast, 1)).verdict, StoreVerdict::broken);
        EXPECT_EQ(lost(kLast, head(bad, 1)).verdict, StoreVerdict::broken);
        EXPECT_EQ(lost(kLast, head(1, bad)).verdict, StoreVerdict::broken);
    }
}

}  // namespace
}  // namespace x402
