// SPDX-License-Identifier: Apache-2.0
#include "base/ring_queue.hpp"

#include <deque>
#include <random>

#include <gtest/gtest.h>

namespace x402 {
namespace {

TEST(RingQueue, IsEmptyAtFirst)
{
    RingQueue<int> queue;
    EXPECT_TRUE(queue.empty());
    queue.clear();
    EXPECT_EQ(queue.size(), 0u);
}

TEST(RingQueue, GrowsWithItsFrontInTheMiddle)
{
    RingQueue<int> queue;
    for (int i = 0; i < 16; i++) {
        queue.push_back(i);
    }
    for (int i = 0; i < 9; i++) {
        EXPECT_EQ(queue.front(), i);
        queue.pop_front();
    }
    for (int i = 16; i < 60; i++) {
        queue.push_back(i);
    }
    EXPECT_EQ(queue.size(), 51u);
    for (std::size_t i = 0; i < queue.size(); i++) {
        EXPECT_EQ(queue[i], static_cast<int>(i) + 9);
    }
}

TEST(RingQueue, IsADequeInAnyOrderOfCalls)
{
    std::mt19937 random(402);
    RingQueue<unsigned> queue;
    std::deque<unsigned> expected;
    for (unsigned step = 0; step < 20000; step++) {
        unsigned what = random() % 100;
        if (what < 52) {
            queue.push_back(step);
            expected.push_back(step);
        } else if (what < 99 && !expected.empty()) {
            ASSERT_EQ(queue.front(), expected.front());
            queue.pop_front();
            expected.pop_front();
        } else if (what == 99 && step % 7 == 0) {
            queue.clear();
            expected.clear();
        }
        ASSERT_EQ(queue.size(), expected.size());
        ASSERT_EQ(queue.empty(), expected.empty());
    }
    for (std::size_t i = 0; i < expected.size(); i++) {
        ASSERT_EQ(queue[i], expected[i]);
    }
}

// The value may be in the queue that is to grow.
TEST(RingQueue, TakesAValueOfItsOwn)
{
    RingQueue<int> queue;
    for (int i = 0; i < 16; i++) {
        queue.push_back(i + 100);
    }
    queue.push_back(queue[3]);
    EXPECT_EQ(queue[16], 103);
}

}  // namespace
}  // namespace x402
