// SPDX-License-Identifier: Apache-2.0
#include "session/bought_table.hpp"

#include <cstddef>
#include <cstring>
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

// A thief has as many keys as it makes wallets.
TEST(BoughtTable, NobodyChoosesThePlacesOfAPurchase)
{
    constexpr std::size_t kSets = 31;
    Memory memory(BoughtTable::least_bytes() + (kSets - 1) * 8 * 64);
    BoughtTable table = memory.table();
    table.use_secret(BoughtSecret{7, 7, 7});
    ASSERT_EQ(table.cells(), kSets * 8);
    auto set_without_secret = [&](const BoughtKey &of, std::size_t which) {
        std::uint64_t word;
        std::memcpy(&word, of.data() + which * sizeof(word), sizeof(word));
        return word % kSets;
    };
    const BoughtKey dear = key(0);
    table.remember(dear, amount(200), kNow + 100, kNow);
    int cheap = 0;
    for (int n = 1; cheap < 32; n++) {
        BoughtKey of = key(n);
        if (set_without_secret(of, 0) == set_without_secret(dear, 0)
            && set_without_secret(of, 1) == set_without_secret(dear, 0)) {
            table.remember(of, amount(1), kNow + 500, kNow);
            cheap++;
        }
    }
    EXPECT_EQ(found(table, dear), 200);
}

// So that two nginx that share it for a moment write to the same places.
TEST(BoughtTable, ItsFileHasTheSecret)
{
    Memory memory;
    BoughtTable table = memory.table();
    BoughtSecret secret{1, 2, 3};
    table.use_secret(secret);
    std::string cell = table.secret_cell();
    EXPECT_EQ(BoughtTable::secret_in(cell), secret);
    // To a release that does not know it: a purchase that has ended.
    EXPECT_EQ(BoughtTable::kind_of(cell), BoughtTable::CellKind::whole);
    EXPECT_FALSE(table.restore(cell, kNow));

    std::string purchase(
        table.bytes_of(*table.remember(key(1), amount(7), kNow + 60, kNow)));
    EXPECT_FALSE(BoughtTable::secret_in(purchase));
    EXPECT_FALSE(BoughtTable::secret_in(std::string(64, '\0')));
    EXPECT_FALSE(BoughtTable::secret_in(cell.substr(1)));
    for (std::size_t at = 0; at < cell.size(); at++) {
        std::string broken = cell;
        broken[at] = static_cast<char>(broken[at] ^ 4);
        EXPECT_FALSE(BoughtTable::secret_in(broken)) << at;
    }
    Memory other;
    BoughtTable same = other.table();
    same.use_secret(*BoughtTable::secret_in(cell));
    EXPECT_EQ(*same.remember(key(1), amount(7), kNow + 60, kNow),
              *table.remember(key(1), amount(7), kNow + 60, kNow));
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
