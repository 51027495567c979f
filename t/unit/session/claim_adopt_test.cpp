// SPDX-License-Identifier: Apache-2.0
// Claims of other machines (x402_store) in the table of this one.
#include <algorithm>
#include <vector>

#include "claim_zone.hpp"

namespace x402 {
namespace {

constexpr const char *kSettle = "the settle request";

class ClaimAdopt : public ClaimZone {
protected:
    ClaimAdopt() : ClaimZone(64 * 1024), elsewhere_(8 * 1024)
    {
        EXPECT_TRUE(ClaimTable::format(elsewhere_.data(), 64 * 1024));
    }

    // The claim as the table of another machine has it.
    JournalRecord unknown_elsewhere(unsigned number)
    {
        ClaimTable other(elsewhere_.data(), process_lives);
        ClaimOwner owner = other.attach(100, kNow);
        ClaimRef ref;
        EXPECT_EQ(other.take(facts_of(number), owner, kNow, ref),
                  TakeOutcome::taken);
        EXPECT_TRUE(other.set_verified(ref));
        EXPECT_TRUE(other.set_settling(ref, kSettle, 7, kNow));
        other.set_unknown(ref, kNow);
        return other.record(ref);
    }

    std::vector<std::uint64_t> elsewhere_;
};

TEST_F(ClaimAdopt, AnUnknownOutcomeIsThisTablesThen)
{
    JournalRecord record = unknown_elsewhere(1);
    EXPECT_EQ(record.settle, kSettle);
    ClaimRef ref = table_.adopt(record, kNow);
    ASSERT_TRUE(ref);
    ClaimView view = table_.look_up(facts_of(1), kNow);
    EXPECT_EQ(view.state, ClaimState::unknown);
    EXPECT_FALSE(view.in_use);
    EXPECT_TRUE(view.ever_unknown && view.was_verified && view.same_client);
    EXPECT_EQ(table_.stored_settle(ref), kSettle);
    EXPECT_TRUE(
        table_.has_older({facts_of(1).payer, facts_of(1).binding}, kNow));
    EXPECT_TRUE(table_.resume(ref, owner_));
    // Again, as the store says it after a while: the same claim.
    table_.set_unknown(ref, kNow);
    EXPECT_TRUE(table_.adopt(record, kNow));
    EXPECT_EQ(open_claims(table_), 1u);
}

TEST_F(ClaimAdopt, OwedContentIsFound)
{
    JournalRecord record = unknown_elsewhere(1);
    record.state = static_cast<std::uint32_t>(ClaimState::paid);
    record.receipt = "{}";
    ASSERT_TRUE(table_.adopt(record, kNow));
    Purchase purchase{facts_of(1).payer, facts_of(1).binding};
    EXPECT_EQ(table_.find_owed(purchase, kNow).key, facts_of(1).key);
    EXPECT_EQ(table_.find_unknown(purchase, kNow).state, ClaimState::free);
    ClaimView owed;
    EXPECT_TRUE(table_.resume_owed(purchase, owner_, kNow, owed));
}

TEST_F(ClaimAdopt, WhatIsKeptForALostStore)
{
    auto kept = [&](std::int64_t now) {
        std::vector<unsigned> numbers;
        std::size_t place = 0;
        while (place < table_.capacity()) {
            if (ClaimRef ref = table_.next_kept(place, now)) {
                numbers.push_back(table_.view(ref).key[1]);
            }
        }
        std::sort(numbers.begin(), numbers.end());
        return numbers;
    };
    EXPECT_TRUE(kept(kNow).empty());
    JournalRecord owed = unknown_elsewhere(1);
    owed.state = static_cast<std::uint32_t>(ClaimState::paid);
    owed.receipt = "{}";
    ASSERT_TRUE(table_.adopt(owed, kNow));
    ClaimRef unknown = table_.adopt(unknown_elsewhere(2), kNow);
    ClaimRef delivered = table_.adopt(unknown_elsewhere(3), kNow);
    table_.set_delivered(delivered, kNow);
    ClaimRef verifying;
    EXPECT_EQ(table_.take(facts_of(4), owner_, kNow, verifying),
              TakeOutcome::taken);
    EXPECT_EQ(kept(kNow), (std::vector<unsigned>{1, 2}));
    // What a worker has in hand it says itself.
    EXPECT_TRUE(table_.resume(unknown, owner_));
    EXPECT_EQ(kept(kNow), (std::vector<unsigned>{1}));
    EXPECT_TRUE(kept(kExpires).empty());
}

TEST_F(ClaimAdopt, WhatIsInUseOrOverHereStays)
{
    JournalRecord record = unknown_elsewhere(1);
    ClaimRef ref;
    ASSERT_EQ(table_.take(facts_of(1), owner_, kNow, ref), TakeOutcome::taken);
    EXPECT_FALSE(table_.adopt(record, kNow));
    EXPECT_EQ(table_.view(ref).state, ClaimState::verifying);
    table_.set_verified(ref);
    table_.set_settling(ref, kSettle, 7, kNow);
    table_.set_paid(ref, "{}", kNow);
    table_.set_delivered(ref, kNow);
    EXPECT_FALSE(table_.adopt(record, kNow));
    EXPECT_EQ(table_.view(ref).state, ClaimState::delivered);
}

TEST_F(ClaimAdopt, WhatIsPaidHereIsNotDoubtedAgain)
{
    JournalRecord record = unknown_elsewhere(1);
    ClaimRef ref;
    ASSERT_EQ(table_.take(facts_of(1), owner_, kNow, ref), TakeOutcome::taken);
    table_.set_verified(ref);
    table_.set_settling(ref, kSettle, 7, kNow);
    table_.set_paid(ref, "{}", kNow);
    table_.set_owed(ref);
    EXPECT_TRUE(table_.adopt(record, kNow));
    EXPECT_EQ(table_.view(ref).state, ClaimState::paid);
}

TEST_F(ClaimAdopt, ARecordHasThePartThatIsAskedFor)
{
    JournalRecord all = unknown_elsewhere(1);
    ClaimRef ref = table_.adopt(all, kNow);
    JournalRecord claim = table_.record(ref, RecordPart::claim);
    EXPECT_EQ(claim.key, all.key);
    EXPECT_EQ(claim.payer_text, all.payer_text);
    EXPECT_TRUE(claim.settle.empty());
    all.settle.clear();
    EXPECT_EQ(claim_bytes(claim), claim_bytes(all));
    JournalRecord numbers = table_.record(ref, RecordPart::numbers);
    EXPECT_EQ(numbers.key, all.key);
    EXPECT_EQ(numbers.flags, all.flags);
    EXPECT_EQ(numbers.expires, all.expires);
    EXPECT_EQ(numbers.executions, all.executions);
    EXPECT_TRUE(numbers.payer_text.empty() && numbers.settle.empty());
}

// Nothing of the claim whose record it was before is left in it.
TEST_F(ClaimAdopt, ARecordIsFilledInThePlaceOfAnother)
{
    ClaimRef ref = table_.adopt(unknown_elsewhere(1), kNow);
    JournalRecord record = table_.record(ref);
    record.receipt = std::string(200, 'x');
    record.network = "another network";
    record.settle = std::string(2000, 'y');
    table_.fill_record(ref, RecordPart::claim, record);
    EXPECT_EQ(claim_bytes(record),
              claim_bytes(table_.record(ref, RecordPart::claim)));
    EXPECT_TRUE(record.settle.empty());
    table_.fill_record(ref, RecordPart::all, record);
    EXPECT_EQ(record.settle, table_.record(ref).settle);
    table_.fill_record(ref, RecordPart::numbers, record);
    EXPECT_TRUE(record.network.empty() && record.settle.empty());
    table_.fill_record(ClaimRef(), RecordPart::all, record);
    EXPECT_EQ(record.key, Digest());
}

TEST_F(ClaimAdopt, ThereIsNoRecordOfNothing)
{
    EXPECT_EQ(table_.record(ClaimRef()).expires, 0);
    JournalRecord nothing;
    EXPECT_FALSE(table_.adopt(nothing, kNow));
}

}  // namespace
}  // namespace x402
