// SPDX-License-Identifier: Apache-2.0
// Room in a table whose keys lie anywhere: how full it becomes, what a replay
// makes of a full one, and how large it should have been.
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
    bool try_to_sell(unsigned number)
    {
        ClaimRef ref;
        if (table_.take(anywhere(number), owner_, kNow, ref)
            != TakeOutcome::taken) {
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
    while (try_to_sell(sold)) {
        sold++;
    }
    EXPECT_GT(sold, table_.capacity() * 85 / 100) << table_.capacity();
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
        if (try_to_sell(number)) {
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
