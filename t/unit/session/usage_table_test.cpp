// SPDX-License-Identifier: Apache-2.0
#include "session/usage_table.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace x402 {
namespace {

struct Memory {
    explicit Memory(std::size_t bytes = 64 * 1024) : words(bytes / 8)
    {
        UsageTable::format(words.data(), bytes);
    }
    UsageTable table() { return UsageTable(words.data()); }
    std::vector<std::uint64_t> words;
};

Digest key(int n)
{
    return sha256("key " + std::to_string(n));
}

TEST(UsageTable, CountsAQuotaFromItsFirstRequest)
{
    Memory memory;
    UsageTable table = memory.table();
    UsageQuota quota = {2, 1000};
    EXPECT_EQ(table.count(key(1), quota, 1, 5000), 0u);
    EXPECT_EQ(table.count(key(1), quota, 1, 5400), 0u);
    EXPECT_EQ(table.count(key(1), quota, 1, 5500), 500u);
    EXPECT_EQ(table.count(key(2), quota, 1, 5500), 0u);
    EXPECT_EQ(table.count(key(1), quota, 1, 5999), 1u);
    EXPECT_EQ(table.count(key(1), quota, 1, 6000), 0u);
    EXPECT_EQ(table.count(key(1), quota, 1, 6001), 0u);
    EXPECT_EQ(table.count(key(1), quota, 1, 6002), 998u);
}

TEST(UsageTable, SpacesARateAndLetsABurstThrough)
{
    Memory memory;
    UsageTable table = memory.table();
    UsageRate rate = {100 * 1000, 2};
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(table.count(key(1), rate, 1, 1000), 0u) << i;
    }
    EXPECT_EQ(table.count(key(1), rate, 1, 1000), 100u);
    EXPECT_EQ(table.count(key(1), rate, 1, 1099), 1u);
    EXPECT_EQ(table.count(key(1), rate, 1, 1100), 0u);
    EXPECT_EQ(table.count(key(1), rate, 1, 1100), 100u);
    EXPECT_EQ(table.count(key(1), rate, 1, 9000), 0u);
}

TEST(UsageTable, WithoutABurstIsOneAtATime)
{
    Memory memory;
    UsageTable table = memory.table();
    UsageRate rate = {1000 * 1000, 0};
    EXPECT_EQ(table.count(key(1), rate, 1, 1000), 0u);
    EXPECT_EQ(table.count(key(1), rate, 1, 1000), 1000u);
    EXPECT_EQ(table.count(key(1), rate, 1, 2000), 0u);
}

TEST(UsageTable, CountsSeveralAtOnceOrNone)
{
    Memory memory;
    UsageTable table = memory.table();
    UsageQuota quota = {5, 1000};
    EXPECT_EQ(table.count(key(1), quota, 6, 5000), 1000u);
    EXPECT_EQ(table.count(key(1), quota, 3, 5000), 0u);
    EXPECT_EQ(table.count(key(1), quota, 3, 5000), 1000u);
    EXPECT_EQ(table.count(key(1), quota, 2, 5000), 0u);
    EXPECT_EQ(table.count(key(1), quota, 1, 5000), 1000u);
    UsageRate rate = {100 * 1000, 2};
    EXPECT_EQ(table.count(key(2), rate, 4, 1000), 100u);
    EXPECT_EQ(table.count(key(2), rate, 3, 1000), 0u);
    EXPECT_EQ(table.count(key(2), rate, 1, 1000), 100u);
    EXPECT_EQ(table.count(key(2), rate, 3, 1300), 0u);
}

TEST(UsageTable, SurvivesAClockThatIsSetBack)
{
    Memory memory;
    UsageTable table = memory.table();
    EXPECT_EQ(table.count(key(1), UsageQuota{1, 1000}, 1, 9000000), 0u);
    EXPECT_EQ(table.count(key(1), UsageQuota{1, 1000}, 1, 5000), 0u);
    EXPECT_EQ(table.count(key(2), UsageRate{1000, 0}, 1, 9000000), 0u);
    EXPECT_LE(table.count(key(2), UsageRate{1000, 0}, 1, 5000), 1u);
}

TEST(UsageTable, BeginsNoPeriodAgainForAWorkerThatIsBehind)
{
    Memory memory;
    UsageTable table = memory.table();
    UsageQuota quota = {2, 1000};
    EXPECT_EQ(table.count(key(1), quota, 2, 5000), 0u);
    EXPECT_EQ(table.count(key(1), quota, 1, 4999), 1001u);
    EXPECT_EQ(table.count(key(1), quota, 1, 3000), 3000u);
    EXPECT_EQ(table.count(key(1), quota, 1, 5999), 1u);
    EXPECT_EQ(table.count(key(1), quota, 1, 6000), 0u);
}

TEST(UsageTable, GivesUpWhatEndsFirst)
{
    Memory memory(UsageTable::least_bytes());
    UsageTable table = memory.table();
    EXPECT_EQ(table.count(key(0), UsageQuota{1, 100000}, 1, 1000), 0u);
    for (int i = 1; i < 100; i++) {
        EXPECT_EQ(table.count(key(i), UsageQuota{1, 1000}, 1, 1000), 0u);
    }
    EXPECT_GT(table.count(key(0), UsageQuota{1, 100000}, 1, 1000), 0u);
}

TEST(UsageTable, IsRecognised)
{
    Memory memory;
    EXPECT_TRUE(UsageTable::recognises(memory.words.data(), 64 * 1024));
    EXPECT_FALSE(UsageTable::recognises(memory.words.data(), 32 * 1024));
    memory.words[0] = 0;
    EXPECT_FALSE(UsageTable::recognises(memory.words.data(), 64 * 1024));
}

}  // namespace
}  // namespace x402
