// SPDX-License-Identifier: Apache-2.0
// A journal that is rewritten while it is in use: with any process
// killed at any instant, a start knows all that was known.
#include <array>
#include <memory>

#include "session/claim_zone.hpp"

namespace x402 {
namespace {

struct Killed {};

// Two files in memory. Every access may be the last thing that a process does.
class TwoFiles : public JournalPort {
public:
    bool append(std::uint64_t edition, std::string_view record) override
    {
        count();
        if (full && (edition & 1) == full_file) {
            file(edition).append(record.substr(0, record.size() / 2));
            return false;
        }
        file(edition).append(record);
        count();
        return true;
    }
    bool clear(std::uint64_t edition) override
    {
        count();
        if (!clears) {
            return false;
        }
        file(edition).clear();
        count();
        return true;
    }
    bool carry_over(std::uint64_t edition, std::uint64_t from) override
    {
        std::string tail = file(edition).substr(static_cast<std::size_t>(from));
        return tail.empty() || append(edition + 1, tail);
    }
    bool digest(std::uint64_t edition, std::uint64_t from, Digest &out) override
    {
        out = sha256(std::string_view(file(edition)).substr(from));
        return true;
    }
    bool lock_alone() override { return alone; }
    std::string &file(std::uint64_t edition) { return files[edition & 1]; }

    std::array<std::string, 2> files;
    bool full = false;
    unsigned full_file = 0;
    bool clears = true;
    bool alone = true;
    int accesses_left = -1;  // -1: unlimited

private:
    void count()
    {
        if (accesses_left == 0) {
            accesses_left = -1;
            throw Killed();
        }
        accesses_left -= accesses_left > 0 ? 1 : 0;
    }
};

class ClaimCheckpoint : public ClaimZone {
protected:
    ClaimCheckpoint() : ClaimZone(64 * 1024)
    {
        files_.file(0) = journal_edge(JournalKind::complete, 0);
        table_.journal().use(&files_);
        living_processes().insert(101);
        other_ = std::make_unique<ClaimTable>(memory_.data(), process_lives);
        other_->journal().use(&files_);
        other_owner_ = other_->attach(101, kNow);
    }

    // All of it, with what `meanwhile` does between its pieces.
    template <class Meanwhile> bool checkpoint(Meanwhile meanwhile)
    {
        std::uint64_t edition = table_.journal_edition();
        std::size_t copied = files_.file(edition).size();
        if (!table_.journal().begin_checkpoint(owner_)) {
            return false;
        }
        bool more = true;
        bool good = true;
        for (std::size_t place = 0; more && good;) {
            std::string records;
            more = table_.journal().part(place, kNow, records);
            good = records.empty() || files_.append(edition + 1, records);
            meanwhile();
        }
        std::size_t flushed = files_.file(edition + 1).size();
        good = good && table_.journal().turn(owner_, copied, flushed);
        if (good) {
            files_.clear(edition);
        }
        table_.journal().end_checkpoint(owner_);
        return good;
    }
    bool checkpoint()
    {
        return checkpoint([] {});
    }

    // All processes were killed; nginx is started again.
    ClaimState started(unsigned number)
    {
        JournalSummary first = journal_summary(files_.files[0]);
        JournalSummary second = journal_summary(files_.files[1]);
        EXPECT_TRUE(first.is_journal && second.is_journal);
        memory2_.assign(memory_.size(), 0);
        EXPECT_TRUE(ClaimTable::format(memory2_.data(), bytes_));
        ClaimTable table(memory2_.data(), process_lives);
        bool is_second = newer_journal(first, second) == 1;
        table.replay(std::string_view(files_.files[is_second ? 1 : 0])
                         .substr((is_second ? second : first).counts_from),
                     kNow);
        return table.look_up(facts_of(number), kNow).state;
    }

    // As the other worker does it.
    void others_unknown(unsigned number)
    {
        ClaimRef ref;
        ASSERT_EQ(other_->take(facts_of(number), other_owner_, kNow, ref),
                  TakeOutcome::taken);
        ASSERT_TRUE(other_->set_settling(ref, "settle", 7, kNow));
        other_->set_unknown(ref, kNow);
    }

    TwoFiles files_;
    std::unique_ptr<ClaimTable> other_;
    ClaimOwner other_owner_;
    std::vector<std::uint64_t> memory2_;
};

TEST_F(ClaimCheckpoint, SaysTheSameInLess)
{
    ClaimRef often = owed(1);
    for (unsigned times = 0; times < 50; ++times) {
        table_.set_owed(often);
        table_.set_paid(often, "receipt", kNow);
        table_.set_owed(often);
    }
    unknown(2);
    std::size_t before = files_.file(0).size();
    ASSERT_TRUE(checkpoint());
    EXPECT_EQ(table_.journal_edition(), 1u);
    EXPECT_EQ(files_.file(0), "");
    EXPECT_LT(files_.file(1).size(), before / 10);
    EXPECT_EQ(started(1), ClaimState::paid);
    EXPECT_EQ(started(2), ClaimState::unknown);
    others_unknown(3);
    EXPECT_EQ(started(3), ClaimState::unknown) << "others follow";
    ASSERT_TRUE(checkpoint());
    EXPECT_EQ(table_.journal_edition(), 2u);
    EXPECT_EQ(started(3), ClaimState::unknown);
}

TEST_F(ClaimCheckpoint, WhatCannotBeWrittenLeavesNothingToAskAbout)
{
    ClaimRef ref = verified(1);
    files_.full = true;
    EXPECT_FALSE(table_.set_settling(ref, "settle", 7, kNow));
    living_processes().erase(100);  // before it can free the claim
    EXPECT_EQ(other_->look_up(facts_of(1), kNow).state, ClaimState::free);
    EXPECT_EQ(other_->next_due(other_owner_, kNow + 60).kind,
              DueClaim::Kind::nothing);
}

TEST_F(ClaimCheckpoint, WhatADeadWorkerLeftIsWrittenBeforeItIsAskedAbout)
{
    table_.journal().use(nullptr);  // killed between the zone and the journal
    settle(1);
    living_processes().erase(100);
    DueClaim due = other_->next_due(other_owner_, kNow);
    due = other_->next_due(other_owner_, kNow + 60);
    ASSERT_EQ(due.kind, DueClaim::Kind::ask_again);
    files_.full = true;
    EXPECT_FALSE(other_->set_settling(due.ref, "settle", 7, kNow + 60));
    other_->set_unknown(due.ref, kNow + 60);
    due = other_->next_due(other_owner_, kNow + 120);
    ASSERT_EQ(due.kind, DueClaim::Kind::ask_again);
    EXPECT_FALSE(other_->set_settling(due.ref, "settle", 7, kNow + 120));
    other_->set_unknown(due.ref, kNow + 120);
    EXPECT_EQ(started(1), ClaimState::free);

    files_.full = false;
    EXPECT_TRUE(other_->journal().is_ready(kNow + 121));
    due = other_->next_due(other_owner_, kNow + 200);
    EXPECT_TRUE(other_->set_settling(due.ref, "settle", 7, kNow + 200));
    EXPECT_EQ(started(1), ClaimState::unknown);
}

TEST_F(ClaimCheckpoint, ATakeoverIsWrittenBeforeItIsAskedAbout)
{
    ClaimRef ref = take(1);
    ASSERT_TRUE(table_.set_settling(ref, "forged", 7, kNow));
    table_.set_unknown(ref, kNow);
    files_.full = true;
    EXPECT_FALSE(table_.take_over(ref, facts_of(1), owner_, "good", 7, kNow));
    DueClaim due = table_.next_due(owner_, kNow + 60);
    ASSERT_EQ(due.kind, DueClaim::Kind::ask_again);
    EXPECT_EQ(table_.stored_settle(due.ref), "good");
    EXPECT_FALSE(table_.set_settling(due.ref, "good", 7, kNow + 60));
}

// It needs room at a start as long as the journal says that it is open.
TEST_F(ClaimCheckpoint, WhatEndedWhileTheDiskWasFullIsFreeOnceItHasRoom)
{
    settle(1);
    settle(2);
    files_.full = true;
    table_.free(look(1).ref);
    EXPECT_EQ(started(1), ClaimState::unknown) << "open, never free";
    files_.full = false;
    std::size_t before = files_.file(0).size();
    ASSERT_TRUE(table_.journal().is_ready(kNow + 1));
    EXPECT_EQ(started(1), ClaimState::free);
    EXPECT_EQ(started(2), ClaimState::unknown);

    // Without all of it what was in front counts.
    std::string all = files_.file(0);
    for (std::size_t size = before; size < all.size(); ++size) {
        files_.file(0).resize(size);
        EXPECT_EQ(started(1), ClaimState::unknown) << size;
        files_.file(0) = all;
    }
    for (std::size_t at = before; at < all.size(); ++at) {
        files_.file(0)[at] = static_cast<char>(all[at] ^ 1);
        EXPECT_EQ(started(2), ClaimState::unknown) << at;
        files_.file(0) = all;
    }
}

// Its records are not all known here.
TEST_F(ClaimCheckpoint, WhatAnotherNginxWroteCountsAfterAFullDisk)
{
    settle(1);
    files_.alone = false;
    files_.full = true;
    table_.free(look(1).ref);
    files_.full = false;
    ASSERT_TRUE(table_.journal().is_ready(kNow + 1));
    EXPECT_EQ(started(1), ClaimState::unknown);
}

// What is carried over into the next edition brings it along.
TEST_F(ClaimCheckpoint, CarriesOverThatAllWasWrittenAfterAFullDisk)
{
    settle(1);
    settle(2);
    bool failed = false;
    EXPECT_TRUE(checkpoint([&] {
        if (!failed) {
            failed = true;
            files_.full = true;
            table_.free(look(1).ref);
            files_.full = false;
            EXPECT_TRUE(table_.journal().is_ready(kNow + 1));
        }
    }));
    EXPECT_EQ(table_.journal_edition(), 1u);
    EXPECT_EQ(started(1), ClaimState::free);
    EXPECT_EQ(started(2), ClaimState::unknown);
}

TEST_F(ClaimCheckpoint, LeavesOutWhatIsPast)
{
    ClaimRef ref = owed(1);
    ASSERT_TRUE(table_.resume(ref, owner_));
    table_.set_delivered(ref, kNow);
    unknown(2);
    std::string late;
    std::size_t place = 0;
    while (table_.journal().part(place, kExpires, late)) {
    }
    JournalReader reader(late);
    JournalRecord record;
    ASSERT_TRUE(reader.next(record));
    EXPECT_EQ(record.key, facts_of(2).key) << "it has still to be told closed";
    EXPECT_FALSE(reader.next(record));
}

TEST_F(ClaimCheckpoint, WhatHappensMeanwhileIsInIt)
{
    ClaimRef freed = settle(1);
    ClaimRef paid = settle(2);
    unsigned step = 0;
    ASSERT_TRUE(checkpoint([&] {
        if (step++ == 0) {
            table_.free(freed);
            table_.set_paid(paid, "receipt", kNow);
            others_unknown(3);
        }
    }));
    EXPECT_EQ(started(1), ClaimState::free);
    EXPECT_EQ(started(2), ClaimState::paid);
    EXPECT_EQ(started(3), ClaimState::unknown);
}

TEST_F(ClaimCheckpoint, IsTheWorkOfOne)
{
    ASSERT_TRUE(table_.journal().begin_checkpoint(owner_));
    EXPECT_FALSE(other_->journal().begin_checkpoint(other_owner_));
    EXPECT_FALSE(other_->journal().turn(other_owner_, 0, 0));
    living_processes().erase(100);
    EXPECT_TRUE(other_->journal().begin_checkpoint(other_owner_))
        << "who died left it";
    EXPECT_FALSE(table_.journal().turn(owner_, 0, 0));
}

// The disk is full where the new one goes: the old one goes on.
TEST_F(ClaimCheckpoint, ThatCannotBeWrittenChangesNothing)
{
    unknown(1);
    files_.full = true;
    files_.full_file = 1;
    EXPECT_FALSE(checkpoint());
    EXPECT_EQ(table_.journal_edition(), 0u);
    EXPECT_FALSE(table_.journal().failed());
    others_unknown(2);
    EXPECT_EQ(started(1), ClaimState::unknown);
    EXPECT_EQ(started(2), ClaimState::unknown);
    files_.full = false;
    EXPECT_TRUE(checkpoint());
    EXPECT_EQ(started(2), ClaimState::unknown);
}

TEST_F(ClaimCheckpoint, DoesNotBeginWhileTheJournalMissesSomething)
{
    settle(1);
    files_.full = true;
    ClaimRef ref = look(1).ref;
    table_.set_paid(ref, "receipt", kNow);
    EXPECT_FALSE(table_.journal().begin_checkpoint(owner_));
}

// The worker that writes it is killed at each access in turn, the other one
// goes on, and then all are killed.
TEST_F(ClaimCheckpoint, AKillAtAnyInstantLosesNothing)
{
    unsigned number = 10;
    for (int accesses = 0;; ++accesses) {
        unknown(number);
        unsigned between = number + 1;
        bool done = false;
        bool once = false;
        files_.accesses_left = accesses;
        try {
            done = checkpoint([&] {
                if (!once) {
                    once = true;
                    int left = std::exchange(files_.accesses_left, -1);
                    others_unknown(between);
                    files_.accesses_left = left;
                }
            });
        } catch (const Killed &) {
        }
        files_.accesses_left = -1;
        ASSERT_EQ(started(number), ClaimState::unknown) << accesses;
        if (once) {
            ASSERT_EQ(started(between), ClaimState::unknown) << accesses;
        }
        // A worker of the same slot takes over, as after a kill.
        others_unknown(number + 2);
        ASSERT_EQ(started(number + 2), ClaimState::unknown) << accesses;
        ASSERT_EQ(started(number), ClaimState::unknown) << accesses;
        ASSERT_FALSE(other_->journal().failed());
        owner_ = table_.attach(100, kNow);
        for (unsigned used = number; used < number + 3; ++used) {
            ClaimRef ref = look(used).ref;
            table_.resume(ref, owner_);
            table_.free(ref);
        }
        ASSERT_EQ(started(number), ClaimState::free) << accesses;
        number += 3;
        if (done) {
            ASSERT_GT(accesses, 8);
            break;
        }
    }
}

// The file that does not count cannot be emptied: nothing is written, nothing
// is sold, until it can.
TEST_F(ClaimCheckpoint, AnUncertainTurnIsMendedBeforeAnythingIsWritten)
{
    unknown(1);
    for (int accesses = 0;; ++accesses) {
        ASSERT_LT(accesses, 100);
        files_.accesses_left = accesses;
        try {
            checkpoint();
        } catch (const Killed &) {
        }
        files_.accesses_left = -1;
        table_.journal().end_checkpoint(owner_);
        if (journal_summary(files_.file(1)).complete) {
            break;
        }
        others_unknown(100 + static_cast<unsigned>(accesses));
    }
    ASSERT_EQ(table_.journal_edition(), 0u) << "complete, and not in use";
    files_.clears = false;
    ClaimRef ref;
    ASSERT_EQ(other_->take(facts_of(2), other_owner_, kNow, ref),
              TakeOutcome::taken);
    EXPECT_FALSE(other_->set_settling(ref, "settle", 7, kNow));
    EXPECT_EQ(other_->take(facts_of(3), other_owner_, kNow, ref),
              TakeOutcome::full);
    files_.clears = true;
    EXPECT_EQ(other_->take(facts_of(3), other_owner_, kNow + 1, ref),
              TakeOutcome::taken);
    ASSERT_TRUE(other_->set_settling(ref, "settle", 7, kNow));
    EXPECT_EQ(started(3), ClaimState::unknown);
    EXPECT_EQ(started(1), ClaimState::unknown);
}

TEST(JournalSummaryOf, KnowsWhatIsAJournal)
{
    std::string one = journal_edge(JournalKind::begin, 3);
    std::string whole = one + journal_edge(JournalKind::complete, 3);
    EXPECT_TRUE(journal_summary("").is_journal);
    EXPECT_TRUE(journal_summary(one).is_journal);
    EXPECT_FALSE(journal_summary(one).complete);
    EXPECT_TRUE(journal_summary(whole).complete);
    EXPECT_EQ(journal_summary(whole).edition, 3u);
    EXPECT_TRUE(journal_summary(one.substr(0, 20)).is_journal) << "torn";
    EXPECT_TRUE(journal_summary(std::string(9, '\0')).is_journal) << "no power";
    EXPECT_FALSE(journal_summary("dear diary").is_journal);
    one[7] = 9;
    EXPECT_FALSE(journal_summary(one).is_journal) << "another build's";
}

// After a loss of power the end of a file may be there without its middle.
TEST(JournalSummaryOf, IsCompleteOnlyWithAllThatIsInFrontOfItsEnd)
{
    std::string flushed = journal_edge(JournalKind::begin, 3);
    JournalRecord freed;
    freed.kind = JournalKind::freed;
    std::string tail = journal_bytes(freed) + journal_bytes(freed);
    std::string end = journal_end(3, flushed.size(), sha256(tail));
    std::string more = journal_bytes(freed);
    EXPECT_TRUE(journal_summary(flushed + tail + end).complete);
    EXPECT_EQ(journal_summary(flushed + tail + end + more).edition, 3u);
    for (std::size_t lost = 0; lost < tail.size(); ++lost) {
        std::string torn = tail;
        std::fill(torn.begin() + static_cast<std::ptrdiff_t>(lost), torn.end(),
                  '\0');
        if (torn != tail) {
            EXPECT_FALSE(journal_summary(flushed + torn + end).complete)
                << lost;
        }
    }
    EXPECT_FALSE(journal_summary(end).complete) << "too short for it";
    EXPECT_TRUE(
        journal_summary(flushed + journal_end(3, flushed.size(), sha256("")))
            .complete)
        << "nothing was carried over";
}

TEST(JournalSummaryOf, TheNewerOfThoseThatAreCompleteCounts)
{
    auto of = [](bool complete, std::uint64_t edition) {
        JournalSummary summary;
        summary.complete = complete;
        summary.edition = edition;
        return summary;
    };
    EXPECT_EQ(newer_journal(of(true, 2), of(false, 0)), 0u);
    EXPECT_EQ(newer_journal(of(true, 2), of(true, 1)), 0u);
    EXPECT_EQ(newer_journal(of(true, 2), of(true, 3)), 1u);
    EXPECT_EQ(newer_journal(of(false, 0), of(true, 3)), 1u);
    EXPECT_EQ(newer_journal(of(false, 0), of(false, 0)), 0u);
}

}  // namespace
}  // namespace x402
