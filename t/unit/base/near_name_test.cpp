// SPDX-License-Identifier: Apache-2.0
#include "base/near_name.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

std::string nearest(std::string_view word)
{
    NearName near(word);
    for (std::string_view known : {"bazaar", "payment-identifier", "base",
                                   "base-sepolia", "celo", "sei", "v1", "v2"}) {
        near.try_name(known);
    }
    return std::string(near.name());
}

TEST(NearName, FindsWhatWasMeant)
{
    EXPECT_EQ(nearest("bazar"), "bazaar");
    EXPECT_EQ(nearest("bazzaar"), "bazaar");
    EXPECT_EQ(nearest("base-seploia"), "base-sepolia");
    EXPECT_EQ(nearest("base_sepolia"), "base-sepolia");
    EXPECT_EQ(nearest("bsae"), "base");
    EXPECT_EQ(nearest("payment-identifer"), "payment-identifier");
}

TEST(NearName, SuggestsNothingFarAway)
{
    for (const char *word : {"", "x", "v3", "solana", "weather", "se", "bazaar",
                             "payment-idntfr"}) {
        EXPECT_EQ(nearest(word), "") << word;
    }
    EXPECT_EQ(nearest(std::string(100, 'a')), "");
}

TEST(NearName, AsksInOneSentence)
{
    NearName near("bazar");
    EXPECT_EQ(near.question(), "");
    near.try_name("bazaar");
    EXPECT_EQ(near.question(), "; did you mean \"bazaar\"?");
}

}  // namespace
}  // namespace x402
