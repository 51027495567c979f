// SPDX-License-Identifier: Apache-2.0
// The journal: what is in it when, and what a new table makes of it.
#include "session/claim_journal.hpp"

#include <memory>

#include "session/claim_zone.hpp"

namespace x402 {
namespace {

class MemoryJournal : public JournalPort {
public:
    bool append(std::uint64_t, std::string_view record) override
    {
        if (no_memory) {
            throw std::bad_alloc();
        }
        if (full) {
            return false;
        }
        bytes.append(record);
        return true;
    }

    bool clear(std::uint64_t) override { return false; }
    bool carry_over(std::uint64_t, std::uint64_t) override { return false; }

    std::string bytes;
    bool full = false;
    bool no_memory = false;
};

class ClaimJournal : public ClaimZone {
protected:
    ClaimJournal() { table_.journal().use(&journal_); }

    // The table after a start; all former owners are dead.
    ClaimTable &started(const std::string &bytes)
    {
        living_processes().insert(500);
        memory2_.assign(memory_.size(), 0);
        EXPECT_TRUE(ClaimTable::format(memory2_.data(), bytes_));
        second_ = std::make_unique<ClaimTable>(memory2_.data(), process_lives);
        report_ = second_->replay(bytes, kNow);
        second_owner_ = second_->attach(500, kNow);
        return *second_;
    }

    ClaimState restored(unsigned number)
    {
        return started(journal_.bytes).look_up(facts_of(number), kNow).state;
    }

    MemoryJournal journal_;
    std::vector<std::uint64_t> memory2_;
    std::unique_ptr<ClaimTable> second_;
    ClaimOwner second_owner_;
    ReplayReport report_;
};

TEST_F(ClaimJournal, WithoutMemoryForARecordClaimsChangeAndNothingIsSold)
{
    ClaimRef paid = settle(1);
    ClaimRef unknown = settle(2);
    journal_.no_memory = true;
    EXPECT_TRUE(table_.set_paid(paid, "receipt", kNow));
    table_.set_unknown(unknown, kNow);
    EXPECT_TRUE(table_.journal().failed());
    EXPECT_EQ(table_.look_up(facts_of(1), kNow).state, ClaimState::paid);
    EXPECT_EQ(table_.look_up(facts_of(2), kNow).state, ClaimState::unknown);
    ClaimRef next;
    EXPECT_EQ(table_.take(facts_of(3), owner_, kNow, next), TakeOutcome::full);
    journal_.no_memory = false;
    EXPECT_EQ(table_.take(facts_of(3), owner_, kNow + 1, next),
              TakeOutcome::taken);
    EXPECT_EQ(restored(1), ClaimState::paid);
}

TEST_F(ClaimJournal, SaysOfEachClaimWhatIsTrueOfTheMoney)
{
    take(1);
    verified(2);
    EXPECT_EQ(journal_.bytes, "") << "nothing was settled";
    settle(3);
    EXPECT_TRUE(table_.set_paid(settle(4), "receipt", kNow));
    owed(5);
    ClaimRef delivered = owed(6);
    EXPECT_TRUE(table_.resume(delivered, owner_));
    table_.set_delivered(delivered, kNow);
    table_.set_refused(settle(7), kNow);
    unknown(8);
    table_.free(settle(9));
    ClaimTable &table = started(journal_.bytes);
    EXPECT_EQ(report_.skipped, 0u);
    EXPECT_EQ(report_.homeless, 0u);
    constexpr ClaimState kStates[] = {
        ClaimState::free,    ClaimState::free,    ClaimState::unknown,
        ClaimState::paid,    ClaimState::paid,    ClaimState::delivered,
        ClaimState::refused, ClaimState::unknown, ClaimState::free,
    };
    for (unsigned number = 1; number <= 9; ++number) {
        ClaimView view = table.look_up(facts_of(number), kNow);
        EXPECT_EQ(view.state, kStates[number - 1]) << number;
        EXPECT_FALSE(view.in_use) << number;
    }
    EXPECT_EQ(table.look_up(facts_of(5), kNow).receipt, "receipt");
    EXPECT_EQ(table.look_up(facts_of(6), kNow).executions, 2u);
    EXPECT_TRUE(table.look_up(facts_of(3), kNow).ever_unknown);
    EXPECT_TRUE(table.settles_first(facts_of(7).payer, kNow)) << "refused";
}

TEST_F(ClaimJournal, KeepsWhatASettleNeedsToBeAskedAgain)
{
    ClaimRef ref = verified(1);
    table_.set_texts(ref, "eip155:84532", "0xpayer", "0xasset");
    AmountBytes paid{};
    paid[31] = 7;
    table_.set_amount_paid(ref, paid);
    EXPECT_TRUE(table_.set_settling(ref, text_of_size(2000), 7, kNow));
    table_.set_first_settle_sent(ref);
    table_.set_unknown(ref, kNow);
    ClaimTable &table = started(journal_.bytes);
    ClaimFacts facts = facts_of(1);
    facts.binding.resource[0] ^= 1;
    ClaimView view = table.look_up(facts, kNow);
    EXPECT_FALSE(covers(view.binding, facts.binding));
    EXPECT_TRUE(covers(view.binding, facts_of(1).binding));
    EXPECT_TRUE(view.same_client);
    EXPECT_EQ(view.binding.paid[31], 7) << "what settle asked for";
    EXPECT_TRUE(view.first_settle_sent);
    EXPECT_EQ(view.facilitator, 7u);
    EXPECT_EQ(view.settle_started, kNow);
    EXPECT_EQ(table.stored_settle(view.ref), text_of_size(2000));
    EXPECT_EQ(table.texts(view.ref).asset, "0xasset");
    EXPECT_EQ(table.next_due(second_owner_, kNow + 5).kind,
              DueClaim::Kind::ask_again);
}

TEST_F(ClaimJournal, KeepsTheDigestOfASettleWithoutRoom)
{
    std::string larger = text_of_size(kMaxSettleBytes + 1);
    unknown(1, larger);
    ClaimTable &table = started(journal_.bytes);
    ClaimView view = table.look_up(facts_of(1), kNow);
    EXPECT_EQ(table.stored_settle(view.ref), "");
    EXPECT_TRUE(table.settle_digest_is(view.ref, sha256(larger)));
}

TEST_F(ClaimJournal, RewrittenSaysTheSame)
{
    unknown(1, text_of_size(1500));
    owed(2);
    table_.count_unproven(digest_of(3), 3, kNow);
    std::string rewritten;
    const ClaimTable &full = started(journal_.bytes);
    std::size_t place = 0;
    while (full.journal().part(place, kNow, rewritten)) {
    }
    ClaimTable &table = started(rewritten);
    ClaimView view = table.look_up(facts_of(1), kNow);
    EXPECT_EQ(view.state, ClaimState::unknown);
    EXPECT_EQ(table.stored_settle(view.ref), text_of_size(1500));
    EXPECT_EQ(table.look_up(facts_of(2), kNow).state, ClaimState::paid);
    EXPECT_FALSE(table.count_unproven(digest_of(3), 1, kNow));
    EXPECT_TRUE(table.count_unproven(digest_of(4), 1, kNow));
}

TEST_F(ClaimJournal, KnowsWhoseAClaimIsThatWasTakenOver)
{
    ClaimRef ref = take(1);
    EXPECT_TRUE(table_.set_settling(ref, "first", 7, kNow));
    table_.set_unknown(ref, kNow);
    ClaimFacts facts = facts_of(1);
    facts.binding.resource.fill(0x44);
    ASSERT_TRUE(table_.take_over(ref, facts, owner_, "second", 8, kNow));
    ClaimTable &table = started(journal_.bytes);
    ClaimView view = table.look_up(facts, kNow);
    EXPECT_EQ(view.state, ClaimState::unknown);
    EXPECT_TRUE(covers(view.binding, facts.binding));
    EXPECT_EQ(table.stored_settle(view.ref), "second");

    ref = take(2);
    EXPECT_TRUE(table_.set_settling(ref, "first", 7, kNow));
    table_.set_unknown(ref, kNow);
    journal_.full = true;
    EXPECT_FALSE(table_.take_over(ref, facts_of(2), owner_, "second", 8, kNow));
    EXPECT_FALSE(look(2).in_use) << "nothing is sent";
}

TEST_F(ClaimJournal, ThatCannotBeWrittenTurnsNewClaimsAway)
{
    ClaimRef lost = verified(1);
    settle(2);
    journal_.full = true;
    EXPECT_FALSE(table_.set_settling(lost, "settle", 7, kNow));
    ClaimRef ref;
    EXPECT_EQ(try_take(3, ref), TakeOutcome::full);
    EXPECT_EQ(try_take(3, ref, kNow + 1), TakeOutcome::full);
    table_.set_refused(look(2).ref, kNow);
    // Room again: all that was missed is written.
    journal_.full = false;
    EXPECT_EQ(try_take(3, ref, kNow + 1), TakeOutcome::full) << "a second";
    EXPECT_EQ(try_take(3, ref, kNow + 2), TakeOutcome::taken);
    EXPECT_EQ(restored(1), ClaimState::free) << "nothing was sent for it";
    EXPECT_EQ(restored(2), ClaimState::refused);
}

// Cut anywhere: a claim is as it was at some time, never free or refused.
TEST_F(ClaimJournal, CutAnywhereIsAnEarlierOne)
{
    ClaimRef ref = settle(1, "short");
    std::size_t settled = journal_.bytes.size();
    EXPECT_TRUE(table_.set_paid(ref, "receipt", kNow));
    table_.set_delivered(ref, kNow);
    for (std::size_t size = settled; size <= journal_.bytes.size(); ++size) {
        ClaimState state = started(journal_.bytes.substr(0, size))
                               .look_up(facts_of(1), kNow)
                               .state;
        ASSERT_NE(state, ClaimState::free) << size;
        ASSERT_NE(state, ClaimState::refused) << size;
    }
}

TEST_F(ClaimJournal, GarbageInTheMiddleCostsOneRecord)
{
    settle(1);
    std::size_t first = journal_.bytes.size();
    table_.free(settle(2));
    settle(3);
    for (std::size_t place = 0; place < first; ++place) {
        std::string bytes = journal_.bytes;
        bytes[place] = static_cast<char>(bytes[place] ^ 0x10);
        ClaimTable &table = started(bytes);
        ASSERT_EQ(report_.records, 3u) << place;
        ASSERT_EQ(report_.skipped, first) << place;
        ASSERT_EQ(table.look_up(facts_of(3), kNow).state, ClaimState::unknown);
        ASSERT_EQ(table.look_up(facts_of(2), kNow).state, ClaimState::free);
    }
    // Half a record, and others behind it.
    std::string bytes =
        journal_.bytes.substr(0, first / 2) + journal_.bytes.substr(first);
    started(bytes);
    EXPECT_EQ(report_.records, 3u);
}

TEST_F(ClaimJournal, RecordsThatMakeNoSenseChangeNothing)
{
    JournalRecord record;
    record.kind = JournalKind::bound_claim;
    record.key = facts_of(1).key;
    record.expires = kExpires;
    for (std::uint32_t state : {0u, 1u, 2u, 9u, 0xffffffffu}) {
        record.state = state;
        started(journal_bytes(record));
        EXPECT_EQ(report_.homeless, 1u) << state;
    }
    record.state = static_cast<std::uint32_t>(ClaimState::paid);
    record.receipt = std::string(257, 'r');
    started(journal_bytes(record));
    EXPECT_EQ(report_.homeless, 1u);
    record.receipt = "r";
    record.settle = std::string(kMaxSettleBytes + 1, 's');
    started(journal_bytes(record));
    EXPECT_EQ(report_.homeless, 1u);
}

TEST_F(ClaimJournal, AnOlderRecordKeepsThePaymentFromBeingUsed)
{
    JournalRecord record;
    record.kind = JournalKind::claim;
    record.key = facts_of(1).key;
    record.state = static_cast<std::uint32_t>(ClaimState::unknown);
    record.expires = kExpires;
    record.binding.asked[31] = 100;
    record.settle = text_of_size(1500);
    ClaimTable &table = started(journal_bytes(record));
    EXPECT_EQ(report_.records, 1u);
    ClaimView view = table.look_up(facts_of(1), kNow);
    EXPECT_EQ(view.state, ClaimState::unknown);
    EXPECT_EQ(view.binding.paid[31], 100);
    EXPECT_EQ(table.stored_settle(view.ref), text_of_size(1500));
    EXPECT_FALSE(covers(view.binding, facts_of(1).binding));
}

TEST_F(ClaimJournal, MoreThanATableHoldsIsSaid)
{
    std::string all;
    for (unsigned number = 0; number < 20; ++number) {
        journal_.bytes.clear();
        ClaimRef ref = owed(number);
        all += journal_.bytes;
        table_.free(ref);
    }
    started(all);
    EXPECT_GT(report_.homeless, 0u);
}

}  // namespace
}  // namespace x402
