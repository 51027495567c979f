// SPDX-License-Identifier: Apache-2.0
#include "session/payment_ids.hpp"

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace x402 {
namespace {

constexpr std::int64_t kNow = 1800000000;
constexpr std::int64_t kExpires = kNow + 900;

Digest digest_of(unsigned number)
{
    return sha256(std::to_string(number));
}

// Whose a name is, as seen by a payment.
enum class Use { unused, same_payment, other_payment };

class PaymentIdTable : public testing::Test {
protected:
    explicit PaymentIdTable(std::size_t bytes = PaymentIds::least_bytes())
        : memory_((bytes + 7) / 8),
          bytes_(bytes),
          formatted_(PaymentIds::format(memory_.data(), bytes)),
          table_(memory_.data())
    {
    }

    Use look(unsigned id, unsigned claim, std::int64_t now = kNow)
    {
        auto holder = table_.holder_of(digest_of(id), now);
        if (!holder) {
            return Use::unused;
        }
        return holder->claim == digest_of(claim) ? Use::same_payment
                                                 : Use::other_payment;
    }

    PaymentIdNote note(unsigned id, unsigned claim,
                       std::int64_t expires = kExpires, std::int64_t now = kNow)
    {
        return table_.note(digest_of(id), digest_of(claim), expires, now,
                           place_);
    }

    std::vector<std::uint64_t> memory_;
    std::size_t bytes_;
    bool formatted_;
    PaymentIds table_;
    std::uint32_t place_ = 0;
};

class LargePaymentIdTable : public PaymentIdTable {
protected:
    LargePaymentIdTable() : PaymentIdTable(64 * 1024) {}
};

class PaymentIdsOfBusyShop : public PaymentIdTable {
protected:
    PaymentIdsOfBusyShop() : PaymentIdTable(640 * 1024) {}
};

TEST_F(PaymentIdTable, KnowsWhichPaymentUsedAName)
{
    ASSERT_TRUE(formatted_);
    EXPECT_EQ(look(1, 101), Use::unused);
    EXPECT_EQ(note(1, 101), PaymentIdNote::noted);
    EXPECT_EQ(look(1, 101), Use::same_payment);
    EXPECT_EQ(look(1, 102), Use::other_payment);
    EXPECT_EQ(look(2, 101), Use::unused);
    EXPECT_EQ(note(1, 102), PaymentIdNote::other_payment);
    EXPECT_EQ(note(1, 101), PaymentIdNote::noted);
}

TEST_F(PaymentIdTable, ForgetsWhatCameToNothing)
{
    note(1, 101);
    table_.forget(place_, digest_of(102));
    table_.forget(0, digest_of(101));
    table_.forget(place_ + 1, digest_of(101));
    table_.forget(1000, digest_of(101));
    EXPECT_EQ(look(1, 101), Use::same_payment);
    table_.forget(place_, digest_of(101));
    EXPECT_EQ(look(1, 102), Use::unused);
    EXPECT_EQ(note(1, 102), PaymentIdNote::noted);
    EXPECT_EQ(look(1, 101), Use::other_payment);
}

TEST_F(PaymentIdTable, ForgetsWithTime)
{
    note(1, 101);
    EXPECT_EQ(look(1, 102, kExpires - 1), Use::other_payment);
    EXPECT_EQ(look(1, 102, kExpires), Use::unused);
    EXPECT_EQ(note(1, 102, kExpires + 9, kExpires), PaymentIdNote::noted);
    EXPECT_EQ(look(1, 102, kExpires), Use::same_payment);
    EXPECT_EQ(note(1, 102, kExpires + 20, kExpires), PaymentIdNote::noted);
    EXPECT_EQ(look(1, 102, kExpires + 19), Use::same_payment);
}

TEST_F(PaymentIdTable, GivesNothingUpForMore)
{
    std::size_t room = table_.capacity();
    ASSERT_EQ(room, 8u);
    for (unsigned id = 0; id < room; ++id) {
        ASSERT_EQ(note(id, 100 + id, kExpires + id), PaymentIdNote::noted);
    }
    EXPECT_EQ(note(50, 150), PaymentIdNote::full);
    EXPECT_EQ(look(50, 150), Use::unused);
    for (unsigned id = 0; id < room; ++id) {
        EXPECT_EQ(look(id, 100 + id), Use::same_payment);
    }
    EXPECT_EQ(note(50, 150, kExpires + 100, kExpires), PaymentIdNote::noted);
    EXPECT_EQ(look(1, 9, kExpires), Use::other_payment);
}

TEST_F(PaymentIdTable, KeepsTheNameOfWhatWasPaid)
{
    note(1, 101);
    table_.keep(place_, digest_of(102));
    EXPECT_FALSE(table_.holder_of(digest_of(1), kNow)->kept);
    table_.keep(place_, digest_of(101));
    EXPECT_TRUE(table_.holder_of(digest_of(1), kNow)->kept);
    table_.forget(place_, digest_of(101));
    EXPECT_EQ(look(1, 101), Use::same_payment);
    EXPECT_EQ(look(1, 101, kExpires), Use::unused);
}

// A payer without room gives up its oldest name that was paid, and no other.
TEST_F(PaymentIdsOfBusyShop, OnePayerCannotUseUpTheRoom)
{
    Digest greedy = digest_of(7000);
    std::uint32_t place = 0;
    unsigned noted = 0;
    for (unsigned id = 0; id < table_.capacity() * 2; id++) {
        PaymentName name(digest_of(id), greedy);
        noted += table_.note(name, digest_of(id), kExpires, kNow, place)
                 == PaymentIdNote::noted;
    }
    EXPECT_LE(noted, 17u * 8u);
    unsigned served = 0;
    for (unsigned payer = 0; payer < 1000; payer++) {
        PaymentName name(digest_of(5000 + payer), digest_of(8000 + payer));
        served += table_.note(name, digest_of(payer), kExpires, kNow, place)
                  == PaymentIdNote::noted;
    }
    EXPECT_GE(served, 980u);
    PaymentName first(digest_of(0), greedy);
    table_.keep(table_.holder_of(first, kNow)->place, digest_of(0));
    unsigned again = 0;
    for (unsigned id = 20000; id < 20200; id++) {
        PaymentName name(digest_of(id), greedy);
        again += table_.note(name, digest_of(id), kExpires, kNow, place)
                 == PaymentIdNote::noted;
    }
    EXPECT_EQ(again, 1u);
    EXPECT_FALSE(table_.holder_of(first, kNow));
}

TEST_F(LargePaymentIdTable, HoldsManyAndMixesNothingUp)
{
    ASSERT_GT(table_.capacity(), 800u);
    for (unsigned id = 0; id < 400; ++id) {
        ASSERT_EQ(note(id, id + 1000), PaymentIdNote::noted) << id;
    }
    for (unsigned id = 0; id < 400; ++id) {
        ASSERT_EQ(look(id, id + 1000), Use::same_payment) << id;
        ASSERT_EQ(look(id, id + 1001), Use::other_payment) << id;
    }
}

TEST_F(PaymentIdTable, RecognisesOnlyItself)
{
    EXPECT_TRUE(PaymentIds::recognises(memory_.data(), bytes_));
    EXPECT_FALSE(PaymentIds::recognises(memory_.data(), bytes_ + 8));
    std::vector<std::uint64_t> blank(memory_.size());
    EXPECT_FALSE(PaymentIds::recognises(blank.data(), bytes_));
    EXPECT_FALSE(PaymentIds::format(blank.data(), bytes_ - 1));
    EXPECT_EQ(PaymentIds::capacity_of(bytes_ - 1), 0u);
}

// A worker may die between any two stores: of the words that an operation
// changes, any may be there and any may not, but for the state word, which is
// written last.
TEST_F(PaymentIdTable, IsWholeWhereverAWorkerDies)
{
    note(1, 101);
    note(2, 102);
    note(3, 103, kNow - 1, kNow - 100);  // its cell is taken again
    const std::vector<std::uint64_t> before = memory_;
    ASSERT_EQ(note(4, 104), PaymentIdNote::noted);
    const std::vector<std::uint64_t> after = memory_;

    std::minstd_rand random(402);
    for (unsigned attempt = 0; attempt < 500; ++attempt) {
        std::size_t words = memory_.size() * 2;
        std::vector<std::uint32_t> left(words), old(words), made(words);
        std::memcpy(old.data(), before.data(), words * 4);
        std::memcpy(made.data(), after.data(), words * 4);
        for (std::size_t word = 0; word < words; ++word) {
            left[word] = random() % 2 ? made[word] : old[word];
            // Header of 32 bytes, cells of 80: the third was free by then.
            bool state = word >= 8 && (word - 8) % 20 == 0;
            if (state) {
                left[word] = (word - 8) / 20 == 2 ? 0 : old[word];
            }
        }
        std::memcpy(memory_.data(), left.data(), words * 4);
        PaymentIds successor(memory_.data());
        ASSERT_TRUE(PaymentIds::recognises(memory_.data(), bytes_));
        ASSERT_EQ(look(1, 101), Use::same_payment);
        ASSERT_EQ(look(2, 101), Use::other_payment);
        ASSERT_EQ(look(4, 104), Use::unused);
        ASSERT_EQ(successor.note(digest_of(4), digest_of(105), kExpires, kNow,
                                 place_),
                  PaymentIdNote::noted);
        ASSERT_EQ(look(4, 104), Use::other_payment);
    }
}

TEST(PaymentIdKey, TellsItsPartsApart)
{
    Digest key = payment_id_key("/a", "0x01", "order-0123456789");
    EXPECT_EQ(key, payment_id_key("/a", "0x01", "order-0123456789"));
    EXPECT_NE(key, payment_id_key("/b", "0x01", "order-0123456789"));
    EXPECT_NE(key, payment_id_key("/a", "0x02", "order-0123456789"));
    EXPECT_NE(key, payment_id_key("/a", "0x01", "order-0123456780"));
    EXPECT_NE(payment_id_key("ab", "c", "d"), payment_id_key("a", "bc", "d"));
    EXPECT_NE(payment_id_key("1:a", "", ""), payment_id_key("", "1:a", ""));
}

// A thief has as many addresses as it makes keys: it chooses some that would
// share all buckets of a payer, or look like the payer.
TEST_F(LargePaymentIdTable, NobodyChoosesTheRoomOfAPayer)
{
    PaymentIds::use_secret(memory_.data(), 0x1234567890abcdefULL);
    const std::size_t buckets = table_.capacity() / 8;
    auto bucket_without_secret = [&](const Digest &payer) {
        std::uint64_t word;
        std::memcpy(&word, payer.data(), sizeof(word));
        return word % buckets;
    };
    const Digest payer = digest_of(1);
    unsigned name = 0;
    for (unsigned number = 2; name < 4 * 16 * 8; number++) {
        Digest other = digest_of(number);
        if (bucket_without_secret(other) != bucket_without_secret(payer)) {
            continue;
        }
        std::uint32_t place = 0;
        table_.note(PaymentName(digest_of(1000000 + name), other),
                    digest_of(number), kExpires, kNow, place);
        table_.keep(place, digest_of(number));
        name++;
    }
    std::uint32_t place = 0;
    EXPECT_EQ(table_.note(PaymentName(digest_of(900000), payer), digest_of(1),
                          kExpires, kNow, place),
              PaymentIdNote::noted);
}

}  // namespace
}  // namespace x402
