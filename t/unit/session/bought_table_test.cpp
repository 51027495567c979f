// SPDX-License-Identifier: Apache-2.0
#include "session/bought_table.hpp"

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
        BoughtTable::format(words.data(), bytes);
    }
    BoughtTable table() { return BoughtTable(words.data()); }
    std::vector<std::uint64_t> words;
    std::size_t bytes;
};

BoughtKey key(int n, const char *scope = "scope", const char *terms = "terms")
{
    ClaimBinding bought;
    bought.resource = sha256(scope);
    bought.terms = sha256(terms);
    return bought_key("0xpayer" + std::to_string(n), bought);
}

AmountBytes amount(std::uint8_t last)
{
    AmountBytes bytes{};
    bytes[31] = last;
    return bytes;
}

int found(const BoughtTable &table, const BoughtKey &of,
          std::int64_t now = kNow)
{
    std::int64_t until = 0;
    auto asked = table.find(of, now, until);
    return asked ? (*asked)[31] : -1;
}

TEST(BoughtTable, RemembersWhatWasPaidUntilItsEnd)
{
    Memory memory;
    BoughtTable table = memory.table();
    ASSERT_TRUE(table.remember(key(1), amount(7), kNow + 60, kNow));
    EXPECT_EQ(found(table, key(1)), 7);
    EXPECT_EQ(found(table, key(1), kNow + 59), 7);
    EXPECT_EQ(found(table, key(1), kNow + 60), -1);
    EXPECT_EQ(found(table, key(2)), -1);
    EXPECT_EQ(found(table, key(1, "other")), -1);
    EXPECT_EQ(found(table, key(1, "scope", "other")), -1);
}

TEST(BoughtTable, ASmallerPaymentTakesNothingAway)
{
    Memory memory;
    BoughtTable table = memory.table();
    table.remember(key(1), amount(7), kNow + 60, kNow);
    table.remember(key(1), amount(3), kNow + 30, kNow);
    EXPECT_EQ(found(table, key(1), kNow + 59), 7);
    table.remember(key(1), amount(9), kNow + 90, kNow + 1);
    EXPECT_EQ(found(table, key(1), kNow + 89), 9);
    // Nor does it prolong what cost more.
    table.remember(key(1), amount(3), kNow + 500, kNow + 2);
    EXPECT_EQ(found(table, key(1), kNow + 89), 9);
    EXPECT_EQ(found(table, key(1), kNow + 90), -1);
    // What has ended counts for nothing.
    table.remember(key(1), amount(2), kNow + 200, kNow + 100);
    EXPECT_EQ(found(table, key(1), kNow + 101), 2);
}

TEST(BoughtTable, TheOneThatEndsFirstMakesPlace)
{
    Memory memory(BoughtTable::least_bytes());
    BoughtTable table = memory.table();
    for (int n = 0; n < 8; n++) {
        table.remember(key(n), amount(1), kNow + 100 + n, kNow);
    }
    table.remember(key(8), amount(1), kNow + 500, kNow);
    EXPECT_EQ(found(table, key(0)), -1);
    for (int n = 1; n <= 8; n++) {
        EXPECT_EQ(found(table, key(n)), 1) << n;
    }
}

TEST(BoughtTable, AmountsBeyond128BitsAreNotRemembered)
{
    Memory memory;
    BoughtTable table = memory.table();
    AmountBytes most{};
    most[16] = 0xff;
    EXPECT_TRUE(table.remember(key(1), most, kNow + 60, kNow));
    std::int64_t until = 0;
    EXPECT_EQ(*table.find(key(1), kNow, until), most);
    EXPECT_EQ(until, kNow + 60);
    most[15] = 1;
    EXPECT_FALSE(table.remember(key(2), most, kNow + 60, kNow));
    EXPECT_EQ(found(table, key(2)), -1);
}

TEST(BoughtTable, ComesBackFromItsFile)
{
    Memory memory;
    BoughtTable table = memory.table();
    const std::size_t cell =
        *table.remember(key(1), amount(7), kNow + 60, kNow);
    const std::string image(table.bytes_of(cell));
    ASSERT_EQ(image.size(), BoughtTable::kCellBytes);

    // A table of another size.
    Memory other(64 * 1024);
    BoughtTable restored = other.table();
    EXPECT_TRUE(restored.restore(image, kNow));
    EXPECT_EQ(found(restored, key(1)), 7);
    EXPECT_FALSE(restored.restore(image, kNow + 60));
    EXPECT_FALSE(restored.restore(std::string(64, '\0'), kNow));
    EXPECT_FALSE(restored.restore(image.substr(1), kNow));
    for (std::size_t at = 0; at < image.size(); at++) {
        Memory fresh;
        std::string broken = image;
        broken[at] = static_cast<char>(broken[at] ^ 4);
        EXPECT_FALSE(fresh.table().restore(broken, kNow)) << at;
    }
}

}  // namespace
}  // namespace x402
