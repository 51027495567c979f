// SPDX-License-Identifier: Apache-2.0
#include "session/used_payments.hpp"

#include "base/sha256_digest.hpp"
#include "session/claim_zone.hpp"

namespace x402 {
namespace {

Digest key_of(unsigned number)
{
    return sha256(std::to_string(number));
}

class UsedPaymentsOf : public ClaimZone {
protected:
    unsigned fill(unsigned first, std::int64_t expires, std::int64_t now)
    {
        unsigned number = first;
        while (used_.add(key_of(number), expires, now)) {
            number++;
        }
        return number;
    }

    ClaimMemory layout_{memory_.data()};
    UsedPayments used_{layout_};
};

TEST_F(UsedPaymentsOf, AreFoundUntilTheyExpire)
{
    EXPECT_FALSE(used_.has(key_of(1), kNow));
    EXPECT_TRUE(used_.add(key_of(1), kExpires, kNow));
    EXPECT_TRUE(used_.add(key_of(2), kExpires - 500, kNow));
    EXPECT_TRUE(used_.has(key_of(1), kExpires - 1));
    EXPECT_FALSE(used_.has(key_of(1), kExpires));
    EXPECT_FALSE(used_.has(key_of(3), kNow));
}

TEST_F(UsedPaymentsOf, AreNeverForgottenWhenTheSheetsAreFull)
{
    unsigned all = fill(0, kExpires, kNow);
    EXPECT_EQ(all, layout_.used_words() * 2 * 64 / 8);
    for (unsigned number = 0; number < all; number++) {
        ASSERT_TRUE(used_.has(key_of(number), kNow)) << number;
    }
    unsigned mistaken = 0;
    for (unsigned number = 0; number < 10000; number++) {
        mistaken += used_.has(key_of(1000000 + number), kNow) ? 1 : 0;
    }
    EXPECT_LT(mistaken, 700u);
    // A moment after the first sheet has expired there is room again.
    EXPECT_TRUE(used_.add(key_of(all), kExpires + 900, kExpires));
    EXPECT_TRUE(used_.has(key_of(all), kExpires + 899));
}

TEST_F(UsedPaymentsOf, OneSheetIsEmptiedWhileTheOtherIsNeeded)
{
    unsigned half = fill(0, kExpires, kNow) / 2;
    EXPECT_FALSE(used_.has(key_of(half), kExpires));
    unsigned first = 5000;
    for (unsigned number = first; number < first + half; number++) {
        ASSERT_TRUE(used_.add(key_of(number), kExpires + 900, kExpires));
    }
    // The second sheet is in use now, and the first one is full.
    EXPECT_TRUE(used_.add(key_of(4000), kExpires + 2000, kExpires + 1));
    EXPECT_TRUE(used_.add(key_of(4001), kExpires + 2000, kExpires + 901));
    EXPECT_TRUE(used_.has(key_of(4000), kExpires + 901));
    EXPECT_FALSE(used_.has(key_of(first), kExpires + 901));
}

TEST_F(UsedPaymentsOf, GoThroughTheJournal)
{
    unsigned all = fill(0, kExpires, kNow);
    std::string journal;
    for (std::size_t i = 0; i < used_.piece_count(); i++) {
        journal += used_.piece(i, kNow);
        EXPECT_EQ(used_.piece(i, kExpires), "");
    }
    std::vector<std::uint64_t> memory(memory_.size());
    ASSERT_TRUE(ClaimMemory::format(memory.data(), bytes_));
    ClaimMemory layout(memory.data());
    UsedPayments other(layout);
    JournalReader reader(journal);
    JournalRecord record;
    while (reader.next(record)) {
        EXPECT_TRUE(other.restore(record));
    }
    for (unsigned number = 0; number < all; number++) {
        ASSERT_TRUE(other.has(key_of(number), kNow)) << number;
    }
    EXPECT_FALSE(other.add(key_of(all), kExpires, kNow));
    // A forged or foreign piece writes nowhere else.
    record.used.first = record.used.words;
    EXPECT_FALSE(other.restore(record));
    record.used.first = UINT64_MAX;
    EXPECT_FALSE(other.restore(record));
    record.used.first = 0;
    record.used.sheet = 2;
    EXPECT_FALSE(other.restore(record));
}

}  // namespace
}  // namespace x402
