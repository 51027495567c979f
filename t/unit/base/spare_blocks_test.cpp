// SPDX-License-Identifier: Apache-2.0
#include "base/spare_blocks.hpp"

#include <list>
#include <memory>

#include <gtest/gtest.h>

namespace x402 {
namespace {

constexpr std::size_t kBytes = 48;

TEST(SpareBlocks, WhatIsGivenBackIsUsedNext)
{
    SpareBlocks blocks(2);
    void *first = blocks.take(kBytes);
    void *second = blocks.take(kBytes);
    EXPECT_NE(first, second);
    blocks.give_back(first);
    EXPECT_EQ(blocks.take(kBytes), first);
    blocks.give_back(first);
    blocks.give_back(second);
    EXPECT_EQ(blocks.take(kBytes), second);
    EXPECT_EQ(blocks.take(kBytes), first);
    blocks.give_back(first);
    blocks.give_back(second);
}

// AddressSanitizer, under which this runs, finds what is neither kept nor
// freed, and what is freed twice.
TEST(SpareBlocks, NoMoreAreKeptThanItIsTold)
{
    SpareBlocks blocks(2);
    void *used[4];
    for (void *&block : used) {
        block = blocks.take(kBytes);
    }
    for (void *block : used) {
        blocks.give_back(block);
    }
    EXPECT_EQ(blocks.count(), 2u);
}

TEST(SpareBlocks, NoneAreKeptWhereTheMostIsNone)
{
    SpareBlocks blocks(0);
    blocks.give_back(blocks.take(kBytes));
    EXPECT_EQ(blocks.count(), 0u);
}

TEST(SpareBlocks, ServeAListAndASharedObject)
{
    std::list<std::string, SpareAllocator<std::string, 2>> list;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 5; i++) {
            list.emplace_back(100, 'x');
        }
        while (!list.empty()) {
            EXPECT_EQ(list.front().size(), 100u);
            list.pop_front();
        }
        auto shared = std::allocate_shared<std::string>(
            SpareAllocator<std::string, 2>(), 50, 'y');
        std::weak_ptr<std::string> weak = shared;
        shared.reset();
        EXPECT_TRUE(weak.expired());
    }
}

}  // namespace
}  // namespace x402
