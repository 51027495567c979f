// SPDX-License-Identifier: Apache-2.0
// Room in a table whose keys lie anywhere: how much is sold before it is used
// up, what a replay makes of a full one, and how large it should have been.
#include "session/claim_room.hpp"

#include <memory>

#include "base/sha256_digest.hpp"
#include "session/claim_zone.hpp"

namespace x402 {
namespace {

constexpr std::size_t kBytes = 2u << 20;

class TextJournal : public JournalPort {
public:
    bool append(std::uint64_t, std::string_view record) override
    {
        bytes.append(record);
        return true;
    }
    bool clear(std::uint64_t) override { return false; }
    bool carry_over(std::uint64_t, std::uint64_t) override { return false; }

    std::string bytes;
};

class ClaimRoom : public ClaimZone {
protected:
    ClaimRoom() : ClaimZone(kBytes) { table_.journal().use(&journal_); }

    static ClaimFacts anywhere(unsigned number)
    {
        ClaimFacts facts = facts_of(number);
        facts.key = sha256(std::to_string(number));
        facts.payer = facts.key;
        return facts;
    }
    bool try_to_sell(unsigned number, bool only_guard = false,
                     std::int64_t now = kNow)
    {
        ClaimRef ref;
        ClaimFacts facts = anywhere(number);
        facts.only_guard = only_guard;
        if (table_.take(facts, owner_, now, ref) != TakeOutcome::taken) {
            return false;
        }
        EXPECT_TRUE(table_.set_paid(ref, "receipt", kNow));
        table_.set_delivered(ref, kNow);
        return true;
    }

    TextJournal journal_;
};

TEST_F(ClaimRoom, IsNearlyUsedUpBeforeAPaymentIsTurnedAway)
{
    unsigned sold = 0;
    while (try_to_sell(sold, true)) {
        sold++;
    }
    EXPECT_GT(sold, table_.capacity() * 85 / 100) << table_.capacity();
}

// The attack: payments that cost next to nothing, as many as there are cells.
TEST_F(ClaimRoom, IsNotUsedUpByCheapPayments)
{
    unsigned all = static_cast<unsigned>(table_.capacity());
    unsigned sold = 0;
    unsigned mistaken = 0;
    while (sold < all * 100) {
        if (table_.look_up(anywhere(sold), kNow).state != ClaimState::free) {
            mistaken++;
        } else if (!try_to_sell(sold)) {
            break;
        }
        sold++;
    }
    EXPECT_GT(sold, all * 30);
    EXPECT_LT(mistaken, sold / 20);
    for (unsigned number = 0; number < sold; number++) {
        ClaimRef ref;
        ASSERT_EQ(table_.take(anywhere(number), owner_, kNow, ref),
                  TakeOutcome::in_use)
            << "Money: sold again";
    }
    // They expire, and all is as before.
    EXPECT_TRUE(try_to_sell(sold, false, kExpires));
    EXPECT_EQ(table_.look_up(anywhere(0), kExpires).state, ClaimState::free);
}

// What a checkpoint of the journal copied, and what it did not have to.
TEST_F(ClaimRoom, WithoutACellAPaymentStaysUsedAfterARestart)
{
    unsigned all = static_cast<unsigned>(table_.capacity());
    for (unsigned number = 0; number < all; number++) {
        try_to_sell(number);
    }
    std::string copy;
    std::size_t place = 0;
    for (unsigned number = all; table_.journal().part(place, kNow, copy);
         number++) {
        for (unsigned i = 0; i < 200; i++) {
            try_to_sell(number * 200 + i);
        }
    }
    std::vector<std::uint64_t> memory(memory_.size());
    ASSERT_TRUE(ClaimTable::format(memory.data(), bytes_));
    ClaimTable table(memory.data(), process_lives);
    EXPECT_EQ(table.replay(copy, kNow).homeless, 0u);
    for (unsigned number = 0; number < all; number++) {
        ASSERT_EQ(table.look_up(anywhere(number), kNow).state,
                  ClaimState::delivered)
            << number;
    }
}

// Claims that ended before they were in the journal had their places, too.
TEST_F(ClaimRoom, IsThereForAllOfThemAfterARestart)
{
    std::vector<ClaimRef> passing;
    for (unsigned number = 0; number < table_.capacity() / 3; ++number) {
        ClaimRef ref;
        ASSERT_EQ(table_.take(anywhere(1000000 + number), owner_, kNow, ref),
                  TakeOutcome::taken);
        passing.push_back(ref);
    }
    std::vector<unsigned> sold;
    for (unsigned number = 0; number < 20000; ++number) {
        if (try_to_sell(number, true)) {
            sold.push_back(number);
        }
        if (number % 8 == 0 && !passing.empty()) {
            table_.free(passing.back());
            passing.pop_back();
        }
    }
    EXPECT_EQ(sold.size(), table_.capacity());
    std::vector<std::uint64_t> memory(memory_.size());
    ASSERT_TRUE(ClaimTable::format(memory.data(), bytes_));
    ClaimTable table(memory.data(), process_lives);
    ReplayReport report = table.replay(journal_.bytes, kNow);
    EXPECT_EQ(report.homeless, 0u);
    unsigned known = 0;
    for (unsigned number : sold) {
        ClaimState state = table.look_up(anywhere(number), kNow).state;
        known += state == ClaimState::delivered ? 1 : 0;
    }
    EXPECT_EQ(known, sold.size());
}

TEST_F(ClaimRoom, IsSuggestedByWhatCameInTheLastMinute)
{
    std::size_t all = table_.capacity();
    EXPECT_EQ(claims_needed(table_.memory(), kNow), all * 2);
    for (unsigned number = 0; number < all / 2; ++number) {
        try_to_sell(number);
    }
    // Half of the table in a minute, and each stays for fifteen.
    std::size_t needed = claims_needed(table_.memory(), kNow);
    EXPECT_GT(needed, all * 8);
    EXPECT_LT(needed, all * 12);
    EXPECT_EQ(claims_needed(table_.memory(), kNow + 100), all * 2);
}

}  // namespace
}  // namespace x402
