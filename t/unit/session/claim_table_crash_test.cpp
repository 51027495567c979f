// SPDX-License-Identifier: Apache-2.0
// A worker may die between any two stores. Whatever had reached the memory by
// then, the table is as if it had died before the operation.
//
// Each operation is done on a copy; of the words it changed, random ones are
// laid over the memory as it was before, all but the state word of the cell.
// That the state word is written last is for the reader of the code to see.
#include "session/claim_table.hpp"

#include <cstring>
#include <functional>
#include <random>

#include "session/claim_zone.hpp"

namespace x402 {
namespace {

constexpr unsigned kTries = 300;
constexpr std::size_t kCellBytes = 744;  // the state comes first

struct Moment {
    const char *name;
    std::function<ClaimRef()> prepare;
    std::function<void(ClaimRef)> operation;
};

class ClaimCrash : public ClaimZone {
protected:
    using Words = std::vector<std::uint32_t>;

    Words image() const
    {
        Words words(bytes_ / 4);
        std::memcpy(words.data(), memory_.data(), words.size() * 4);
        return words;
    }

    void put(const Words &words)
    {
        std::memcpy(memory_.data(), words.data(), words.size() * 4);
    }

    // The cells begin behind the header; the rest is 19 KB.
    std::size_t state_word(std::uint32_t cell) const
    {
        return (bytes_ - 19 * 1024 + cell * kCellBytes) / 4;
    }

    // In the header, behind magic, layout, stamp, size and two counters: what
    // is derived from the cells is being changed.
    static constexpr std::size_t kChanging = 40 / 4;

    // What a successor finds of payment 1.
    ClaimView found_after_death()
    {
        living_processes() = {200};
        ClaimTable successor(memory_.data(), process_lives);
        successor.attach(200, kNow);
        ClaimView view = successor.look_up(facts_of(1), kNow);
        if (view.ref) {
            std::string stored = successor.stored_settle(view.ref);
            EXPECT_TRUE(stored.empty() || stored == bytes_sent());
        }
        expect_counted(successor);
        expect_usable(successor);
        living_processes() = {100};
        return view;
    }

    // Whatever was half counted: the successor counts what is there.
    void expect_counted(ClaimTable &successor)
    {
        std::size_t open = 0;
        for (unsigned number = 0; number < 100; ++number) {
            ClaimState state = successor.look_up(facts_of(number), kNow).state;
            open +=
                state == ClaimState::verifying || state == ClaimState::unknown
                    ? 1
                    : 0;
        }
        ASSERT_EQ(open_claims(successor), open);
        // Payment 2 is unknown, and found by what it is for, and when due.
        ClaimFacts facts = facts_of(2);
        ASSERT_EQ(
            successor.find_unknown({facts.payer, facts.binding}, kNow).state,
            ClaimState::unknown);
        ASSERT_EQ(successor.next_due({}, kNow + 5).kind,
                  DueClaim::Kind::ask_again);
    }

    void expect_usable(ClaimTable &successor)
    {
        ClaimOwner owner = successor.attach(200, kNow);
        ClaimRef ref;
        ASSERT_EQ(successor.take(facts_of(77), owner, kNow, ref),
                  TakeOutcome::taken);
        successor.set_settling(ref, "another", 7, kNow);
        EXPECT_EQ(successor.stored_settle(ref), "another");
        EXPECT_EQ(successor.look_up(facts_of(2), kNow).state,
                  ClaimState::unknown);
    }

    static std::string bytes_sent() { return text_of_size(2000, 's'); }

    ClaimRef settling() { return settle(1, bytes_sent()); }

    ClaimRef paid()
    {
        ClaimRef ref = settling();
        EXPECT_TRUE(table_.set_paid(ref, "receipt", kNow));
        return ref;
    }

    ClaimRef open()
    {
        ClaimRef ref = settling();
        table_.set_unknown(ref, kNow);
        return ref;
    }

    void send(ClaimRef ref) { table_.set_settling(ref, bytes_sent(), 7, kNow); }

    void pay(ClaimRef ref)
    {
        EXPECT_TRUE(table_.set_paid(ref, "the receipt", kNow));
    }

    void resume(ClaimRef ref) { EXPECT_TRUE(table_.resume(ref, owner_)); }

    template <std::size_t N>
    void expect_whole_or_not_at_all(const Moment (&moments)[N])
    {
        unknown(2, "of another payment");
        for (const Moment &moment : moments) {
            SCOPED_TRACE(moment.name);
            try_out(moment);
        }
    }

    void try_out(const Moment &moment);

    std::minstd_rand random_{402};
};

void ClaimCrash::try_out(const Moment &moment)
{
    const Words clean = image();
    ClaimRef ref = moment.prepare();
    const Words before = image();
    ClaimView expected = found_after_death();
    put(before);
    moment.operation(ref);
    const Words after = image();

    std::vector<std::size_t> changed;
    for (std::size_t word = 0; word < before.size(); ++word) {
        if (before[word] != after[word] && word != state_word(ref.cell)) {
            changed.push_back(word);
        }
    }
    for (unsigned attempt = 0; attempt < kTries; ++attempt) {
        Words half = before;
        for (std::size_t word : changed) {
            half[word] = random_() % 2 ? after[word] : before[word];
        }
        half[kChanging] = 1;
        put(half);
        ClaimView view = found_after_death();
        ASSERT_EQ(view.state, expected.state) << "try " << attempt;
        ASSERT_FALSE(view.in_use) << "try " << attempt;
    }
    put(clean);
}

TEST_F(ClaimCrash, InTheMiddleOfAFirstSettleLeavesAValidTable)
{
    const Moment moments[] = {
        {"verified", [this] { return take(1); },
         [this](ClaimRef ref) { table_.set_verified(ref); }},
        {"settling", [this] { return verified(1); },
         [this](ClaimRef ref) { send(ref); }},
        {"sent", [this] { return settling(); },
         [this](ClaimRef ref) { table_.set_first_settle_sent(ref); }},
        {"paid", [this] { return settling(); },
         [this](ClaimRef ref) { pay(ref); }},
        {"refused", [this] { return settling(); },
         [this](ClaimRef ref) { table_.set_refused(ref, kNow); }},
        {"unknown", [this] { return settling(); },
         [this](ClaimRef ref) { table_.set_unknown(ref, kNow); }},
        {"not processed", [this] { return settling(); },
         [this](ClaimRef ref) { table_.free(ref); }},
        {"delivered", [this] { return paid(); },
         [this](ClaimRef ref) { table_.set_delivered(ref, kNow); }},
    };
    expect_whole_or_not_at_all(moments);
}

TEST_F(ClaimCrash, InTheMiddleOfAnotherSettleLeavesAValidTable)
{
    const Moment moments[] = {
        {"resumed", [this] { return open(); },
         [this](ClaimRef ref) { resume(ref); }},
        {"asked again",
         [this] {
             ClaimRef ref = open();
             resume(ref);
             return ref;
         },
         [this](ClaimRef ref) { send(ref); }},
        {"found paid",
         [this] {
             ClaimRef ref = open();
             resume(ref);
             send(ref);
             return ref;
         },
         [this](ClaimRef ref) { pay(ref); }},
    };
    expect_whole_or_not_at_all(moments);
}

// A new claim: its cell is free (or made free first) until all is written.
TEST_F(ClaimCrash, WhileAClaimIsTakenLeavesNoClaim)
{
    unknown(2, "of another payment");
    for (bool of_former_claim : {false, true}) {
        SCOPED_TRACE(of_former_claim);
        if (of_former_claim) {
            for (unsigned number = 10; number < 25; ++number) {
                table_.set_refused(take(number), kNow + number);
            }
        }
        const Words before = image();
        ClaimRef ref = take(1);
        const Words after = image();
        for (unsigned attempt = 0; attempt < kTries; ++attempt) {
            Words half = before;
            for (std::size_t word = 0; word < half.size(); ++word) {
                half[word] = random_() % 2 ? after[word] : before[word];
            }
            half[state_word(ref.cell)] = 0;
            half[kChanging] = 1;
            put(half);
            ASSERT_EQ(found_after_death().state, ClaimState::free);
        }
        put(before);
    }
}

}  // namespace
}  // namespace x402
