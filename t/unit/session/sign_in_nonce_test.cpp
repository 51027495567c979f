// SPDX-License-Identifier: Apache-2.0
#include "session/sign_in_nonce.hpp"

#include <cctype>
#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace x402 {
namespace {

const std::string kKey(32, 'k');
const std::string kOldKey(32, 'o');
constexpr std::int64_t kNow = 1800000000;
constexpr NonceSeed kSeed = {1, 2, 3};

NonceFault check(std::string_view nonce, std::int64_t now = kNow,
                 std::string_view place = "here",
                 const std::vector<std::string_view> &keys = {kKey})
{
    std::int64_t issued = 0;
    NonceFault fault = check_sign_in_nonce(nonce, place, keys, now, issued);
    if (fault != NonceFault::forged) {
        EXPECT_EQ(issued, kNow);
    }
    return fault;
}

TEST(SignInNonce, IsGoodWhereAndWhenItWasMade)
{
    const std::string nonce = make_sign_in_nonce(kNow, kSeed, "here", kKey);
    EXPECT_EQ(nonce.size(), 64u);
    EXPECT_EQ(check(nonce), NonceFault::none);
    EXPECT_EQ(check(nonce, kNow + 299), NonceFault::none);
    EXPECT_EQ(check(nonce, kNow + 300), NonceFault::expired);
    EXPECT_EQ(check(nonce, kNow - 60), NonceFault::none);
    EXPECT_EQ(check(nonce, kNow - 61), NonceFault::not_yet);
    EXPECT_EQ(check(nonce, kNow, "there"), NonceFault::forged);
    EXPECT_EQ(check(nonce, kNow, "here", {kOldKey}), NonceFault::forged);
    EXPECT_EQ(check(nonce, kNow, "here", {kOldKey, kKey}), NonceFault::none);
}

TEST(SignInNonce, HasOneSpelling)
{
    const std::string nonce = make_sign_in_nonce(kNow, kSeed, "here", kKey);
    for (std::size_t at = 0; at < nonce.size(); at++) {
        std::string other = nonce;
        other[at] = other[at] == '0' ? '1' : '0';
        EXPECT_EQ(check(other), NonceFault::forged) << at;
        other = nonce;
        other[at] = static_cast<char>(std::toupper(other[at]));
        if (other != nonce) {
            EXPECT_EQ(check(other), NonceFault::forged) << at;
        }
    }
    EXPECT_EQ(check(""), NonceFault::forged);
    EXPECT_EQ(check(nonce + "00"), NonceFault::forged);
    EXPECT_EQ(check("0x" + nonce), NonceFault::forged);
}

}  // namespace
}  // namespace x402
