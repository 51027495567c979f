// SPDX-License-Identifier: Apache-2.0
#include "session/pass_table.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace x402 {
namespace {

constexpr std::int64_t kNow = 1800000000;

struct Memory {
    explicit Memory(std::size_t size = 16 * 1024) : words(size / 8), bytes(size)
    {
        PassTable::format(words.data(), bytes);
    }
    PassTable table() { return PassTable(words.data()); }
    std::vector<std::uint64_t> words;
    std::size_t bytes;
};

PassId pass(int n)
{
    return pass_id_of(sha256("payment " + std::to_string(n)));
}

TEST(PassTable, CountsDown)
{
    Memory memory;
    PassTable table = memory.table();
    std::uint32_t left = 0;
    ASSERT_TRUE(table.issue(pass(1), 2, kNow + 60, kNow, left));
    EXPECT_EQ(left, 2u);
    EXPECT_EQ(table.use(pass(1), 1, kNow, left), PassFault::none);
    EXPECT_EQ(left, 1u);
    EXPECT_EQ(table.use(pass(1), 1, kNow, left), PassFault::none);
    EXPECT_EQ(left, 0u);
    EXPECT_EQ(table.use(pass(1), 1, kNow, left), PassFault::used_up);
    EXPECT_EQ(table.use(pass(2), 1, kNow, left), PassFault::unknown);
}

TEST(PassTable, TakesSeveralAtOnceOrNone)
{
    Memory memory;
    PassTable table = memory.table();
    std::uint32_t left = 0;
    ASSERT_TRUE(table.issue(pass(1), 5, kNow + 60, kNow, left));
    EXPECT_EQ(table.use(pass(1), 6, kNow, left), PassFault::used_up);
    EXPECT_EQ(table.use(pass(1), 4, kNow, left), PassFault::none);
    EXPECT_EQ(left, 1u);
    table.give_back(pass(1), 9);
    EXPECT_EQ(table.use(pass(1), 5, kNow, left), PassFault::none);
    EXPECT_EQ(left, 0u);
}

TEST(PassTable, GivesBackNoMoreThanItTook)
{
    Memory memory;
    PassTable table = memory.table();
    std::uint32_t left = 0;
    table.issue(pass(1), 1, kNow + 60, kNow, left);
    table.give_back(pass(1), 1);
    table.give_back(pass(2), 1);
    EXPECT_EQ(table.use(pass(1), 1, kNow, left), PassFault::none);
    EXPECT_EQ(left, 0u);
    table.give_back(pass(1), 1);
    table.give_back(pass(1), 1);
    EXPECT_EQ(table.use(pass(1), 1, kNow, left), PassFault::none);
    EXPECT_EQ(table.use(pass(1), 1, kNow, left), PassFault::used_up);
}

// The content of one payment is delivered again: the same pass, not another.
TEST(PassTable, ASecondIssueKeepsTheCount)
{
    Memory memory;
    PassTable table = memory.table();
    std::uint32_t left = 0;
    table.issue(pass(1), 2, kNow + 60, kNow, left);
    table.use(pass(1), 1, kNow, left);
    ASSERT_TRUE(table.issue(pass(1), 2, kNow + 90, kNow + 30, left));
    EXPECT_EQ(left, 1u);
    EXPECT_EQ(table.use(pass(1), 1, kNow + 59, left), PassFault::none);
    EXPECT_EQ(table.use(pass(1), 1, kNow + 60, left), PassFault::unknown);
}

TEST(PassTable, AFullTableKeepsWhatItHas)
{
    Memory memory(PassTable::least_bytes());
    PassTable table = memory.table();
    std::uint32_t left = 0;
    for (int n = 0; n < 8; n++) {
        ASSERT_TRUE(table.issue(pass(n), 5, kNow + 60, kNow, left)) << n;
    }
    EXPECT_FALSE(table.issue(pass(8), 5, kNow + 60, kNow, left));
    EXPECT_EQ(table.use(pass(8), 1, kNow, left), PassFault::unknown);
    for (int n = 0; n < 8; n++) {
        EXPECT_EQ(table.use(pass(n), 1, kNow, left), PassFault::none) << n;
    }
    // What has expired makes room, and nothing else: what is used up would be
    // filled again by its payment.
    for (int n = 1; n < 5; n++) {
        EXPECT_EQ(table.use(pass(3), 1, kNow, left), PassFault::none);
    }
    EXPECT_EQ(table.use(pass(3), 1, kNow, left), PassFault::used_up);
    EXPECT_FALSE(table.issue(pass(9), 5, kNow + 60, kNow, left));
    EXPECT_TRUE(table.issue(pass(3), 5, kNow + 60, kNow, left));
    EXPECT_EQ(left, 0u) << "the second time";
    EXPECT_EQ(table.use(pass(3), 1, kNow, left), PassFault::used_up);
    EXPECT_EQ(table.use(pass(4), 1, kNow, left), PassFault::none);
    EXPECT_TRUE(table.issue(pass(8), 5, kNow + 120, kNow + 60, left));
    EXPECT_EQ(table.use(pass(8), 1, kNow + 60, left), PassFault::none);
}

TEST(PassTable, FillsWell)
{
    Memory memory;
    PassTable table = memory.table();
    const std::size_t room = PassTable::capacity(memory.bytes);
    std::uint32_t left = 0;
    std::size_t issued = 0;
    for (std::size_t n = 0; n < room * 4 / 5; n++) {
        issued +=
            table.issue(pass(static_cast<int>(n)), 1, kNow + 60, kNow, left)
                ? 1
                : 0;
    }
    EXPECT_GE(issued * 100, room * 4 / 5 * 97) << issued << " of " << room;
}

TEST(PassTable, KnowsItsMemory)
{
    Memory memory;
    EXPECT_TRUE(PassTable::recognises(memory.words.data(), memory.bytes));
    EXPECT_FALSE(PassTable::recognises(memory.words.data(), memory.bytes - 8));
    memory.words[0]++;
    EXPECT_FALSE(PassTable::recognises(memory.words.data(), memory.bytes));
}

}  // namespace
}  // namespace x402
