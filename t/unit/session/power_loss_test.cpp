// SPDX-License-Identifier: Apache-2.0
// The power fails: of a journal that is synced all is there that was on the
// disk, and any part of what was written since. Whatever part that is, nothing
// is sold twice, and nothing that was paid is forgotten.
#include <array>
#include <map>
#include <random>

#include "session/claim_zone.hpp"

namespace x402 {
namespace {

class TwoDiskFiles : public JournalPort {
public:
    bool append(std::uint64_t edition, std::string_view record) override
    {
        file(edition).append(record);
        return true;
    }
    bool clear(std::uint64_t edition) override
    {
        file(edition).clear();
        flushed[edition & 1] = 0;
        return true;
    }
    bool carry_over(std::uint64_t edition, std::uint64_t from) override
    {
        return append(edition + 1, file(edition).substr(from));
    }
    bool digest(std::uint64_t edition, std::uint64_t from, Digest &out) override
    {
        out = sha256(std::string_view(file(edition)).substr(from));
        return true;
    }
    std::string &file(std::uint64_t edition) { return files[edition & 1]; }
    void flush(std::uint64_t edition)
    {
        flushed[edition & 1] = file(edition).size();
    }

    std::array<std::string, 2> files;
    std::array<std::size_t, 2> flushed{};
};

// What was done because a record was on the disk.
enum class Done {
    settle_sent,
    content_sent,
};

class PowerLoss : public ClaimZone {
protected:
    PowerLoss() : ClaimZone(256 * 1024)
    {
        disk_.file(0) = journal_edge(JournalKind::complete, 0);
        disk_.flush(0);
        table_.journal().use(&disk_);
    }

    // All that waits for the disk goes on.
    void flush()
    {
        disk_.flush(table_.journal_edition());
        for (const auto &[number, done] : waiting_) {
            done_[number] = done;
        }
        waiting_.clear();
    }

    // A payment's next step, as the session takes it.
    void go_on(unsigned number)
    {
        if (waiting_.count(number)) {
            return;
        }
        ClaimView claim = look(number);
        switch (claim.state) {
        case ClaimState::free: {
            ClaimRef ref = take(number);
            if (number % 5 == 0) {
                table_.set_paid(ref, "receipt", kNow);  // x402_settle off
                waiting_[number] = Done::content_sent;
                return;
            }
            table_.set_verified(ref);
            table_.set_settling(ref, "settle", 7, kNow);
            waiting_[number] = Done::settle_sent;
            return;
        }
        case ClaimState::settling:
            if (number % 7 == 0) {
                table_.set_unknown(claim.ref, kNow);
                return;
            }
            table_.set_paid(claim.ref, "receipt", kNow);
            waiting_[number] = Done::content_sent;
            return;
        case ClaimState::paid:
            if (number % 3 == 0) {
                table_.set_owed(claim.ref);
                return;
            }
            table_.set_delivered(claim.ref, kNow);
            return;
        default:
            return;
        }
    }

    // A start with these files knows all that it has to.
    void expect_known(const std::array<std::string, 2> &files)
    {
        JournalSummary first = journal_summary(files[0]);
        JournalSummary second = journal_summary(files[1]);
        memory2_.assign(memory_.size(), 0);
        ASSERT_TRUE(ClaimTable::format(memory2_.data(), bytes_));
        ClaimTable table(memory2_.data(), process_lives);
        table.replay(files[newer_journal(first, second)], kNow);
        living_processes().insert(200);
        ClaimOwner owner = table.attach(200, kNow);
        for (const auto &[number, done] : done_) {
            ClaimState state = table.look_up(facts_of(number), kNow).state;
            if (done == Done::settle_sent) {
                ASSERT_TRUE(state == ClaimState::unknown
                            || state == ClaimState::paid
                            || state == ClaimState::delivered)
                    << number << ": " << claim_state_name(state);
            } else {
                ASSERT_TRUE(state == ClaimState::paid
                            || state == ClaimState::delivered)
                    << number << ": " << claim_state_name(state);
            }
            ClaimRef ref;
            ASSERT_EQ(table.take(facts_of(number), owner, kNow, ref),
                      TakeOutcome::in_use)
                << number;
        }
    }

    // Each end of what was not flushed, and each hole in it.
    void expect_known_after_every_cut()
    {
        for (unsigned which = 0; which < 2; ++which) {
            const std::string whole = disk_.files[which];
            std::size_t flushed = disk_.flushed[which];
            for (std::size_t end = flushed; end <= whole.size(); ++end) {
                auto files = disk_.files;
                files[which] = whole.substr(0, end);
                SCOPED_TRACE("file " + std::to_string(which) + " cut at "
                             + std::to_string(end));
                ASSERT_NO_FATAL_FAILURE(expect_known(files));
                if (end % 16 == 0) {
                    files[which] = whole;
                    files[which].replace(flushed, end - flushed, end - flushed,
                                         '\0');
                    ASSERT_NO_FATAL_FAILURE(expect_known(files));
                }
            }
        }
    }

    // The next edition, up to where it waits for the disk.
    void write_next()
    {
        std::uint64_t edition = table_.journal_edition();
        copied_ = disk_.file(edition).size();
        ASSERT_TRUE(table_.journal().begin_checkpoint(owner_));
        disk_.append(edition + 1,
                     journal_edge(JournalKind::begin, edition + 1));
        bool more = true;
        for (std::size_t place = 0; more;) {
            std::string records;
            more = table_.journal().part(place, kNow, records);
            disk_.append(edition + 1, records);
        }
        disk_.flush(edition + 1);
    }

    void turn()
    {
        std::uint64_t next = table_.journal_edition() + 1;
        ASSERT_TRUE(
            table_.journal().turn(owner_, copied_, disk_.file(next).size()));
        table_.journal().end_checkpoint(owner_);
    }

    TwoDiskFiles disk_;
    std::map<unsigned, Done> waiting_;
    std::map<unsigned, Done> done_;
    std::vector<std::uint64_t> memory2_;
    std::size_t copied_ = 0;
};

TEST_F(PowerLoss, AtAnyMomentForgetsNothing)
{
    std::mt19937 random(402);
    for (unsigned round = 0; round < 12; ++round) {
        for (unsigned steps = 0; steps < 6; ++steps) {
            go_on(1 + random() % 20);
        }
        ASSERT_NO_FATAL_FAILURE(expect_known_after_every_cut()) << round;
        flush();
        ASSERT_NO_FATAL_FAILURE(expect_known_after_every_cut()) << round;
    }
    EXPECT_GT(done_.size(), 15u);
}

TEST_F(PowerLoss, WhileTheJournalTurnsForgetsNothing)
{
    std::mt19937 random(17);
    for (unsigned round = 0; round < 3; ++round) {
        for (unsigned steps = 0; steps < 12; ++steps) {
            go_on(1 + random() % 20);
        }
        flush();
        ASSERT_NO_FATAL_FAILURE(write_next());
        for (unsigned steps = 0; steps < 4; ++steps) {
            go_on(1 + random() % 20);
        }
        flush();
        go_on(30 + round);
        ASSERT_NO_FATAL_FAILURE(expect_known_after_every_cut());
        ASSERT_NO_FATAL_FAILURE(turn());
        go_on(40 + round);
        ASSERT_NO_FATAL_FAILURE(expect_known_after_every_cut())
            << "turned, and nothing of it is on the disk yet";
        flush();
        ASSERT_NO_FATAL_FAILURE(expect_known_after_every_cut());
        disk_.clear(table_.journal_edition() + 1);
        ASSERT_NO_FATAL_FAILURE(expect_known_after_every_cut());
    }
    EXPECT_GT(done_.size(), 10u);
}

}  // namespace
}  // namespace x402
