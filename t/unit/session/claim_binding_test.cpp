// SPDX-License-Identifier: Apache-2.0
#include "session/claim_binding.hpp"

#include <gtest/gtest.h>

namespace x402 {
namespace {

ClaimBinding binding_of(std::uint8_t asked)
{
    ClaimBinding binding;
    binding.resource.fill(0x11);
    binding.terms.fill(0x22);
    binding.asked[31] = binding.paid[31] = asked;
    return binding;
}

TEST(ClaimBinding, CoversWhatItWasTakenFor)
{
    EXPECT_TRUE(covers(binding_of(5), binding_of(5)));
}

TEST(ClaimBinding, CoversNothingElse)
{
    // Each bit of each digest counts.
    for (std::size_t at = 0; at < 32; at++) {
        ClaimBinding other = binding_of(5);
        other.resource[at] ^= 1;
        EXPECT_FALSE(covers(binding_of(5), other)) << at;
        other = binding_of(5);
        other.terms[at] ^= 0x80;
        EXPECT_FALSE(covers(binding_of(5), other)) << at;
    }
}

TEST(ClaimBinding, CoversALowerPriceAndNoHigherOne)
{
    EXPECT_TRUE(covers(binding_of(5), binding_of(4)));
    EXPECT_FALSE(covers(binding_of(5), binding_of(6)));
    // As numbers, not as bytes: the first of them weighs most.
    ClaimBinding dear = binding_of(0);
    dear.asked[0] = 1;
    EXPECT_FALSE(covers(binding_of(255), dear));
    EXPECT_TRUE(covers(dear, binding_of(255)));
}

TEST(ClaimBinding, WhatWasPaidBoundsWhatItPaysFor)
{
    ClaimBinding bought = binding_of(100);
    bought.paid[31] = 7;
    EXPECT_TRUE(covers(bought, binding_of(100))) << "the request is the same";
    AmountBytes cost{};
    for (unsigned units = 0; units < 256; units++) {
        cost[31] = static_cast<std::uint8_t>(units);
        EXPECT_EQ(pays_for(bought, cost), units <= 7) << units;
    }
    cost = {};
    cost[0] = 1;
    EXPECT_FALSE(pays_for(bought, cost));
}

}  // namespace
}  // namespace x402
