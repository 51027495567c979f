// SPDX-License-Identifier: Apache-2.0
// A claim table in ordinary memory, and processes that live as a test says.
#ifndef X402_UNIT_SESSION_CLAIM_ZONE_HPP
#define X402_UNIT_SESSION_CLAIM_ZONE_HPP

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "session/claim_table.hpp"

namespace x402 {

// A plain function is asked whether a process lives, so the answer is global.
inline std::set<std::int64_t> &living_processes()
{
    static std::set<std::int64_t> processes;
    return processes;
}

inline bool process_lives(std::int64_t process)
{
    return living_processes().count(process) != 0;
}

// The smallest table: two buckets of eight cells, four blocks.
constexpr std::size_t kSmallTableClaims = 16;
constexpr std::size_t kSmallTableBlocks = 4;
constexpr std::size_t kBlockPayload = 1024 - 16;

// The n-th payment. Its two choices of a bucket differ in the smallest table,
// so that every cell there is within reach of every payment.
inline Digest digest_of(unsigned number)
{
    Digest digest{};
    digest[1] = static_cast<std::uint8_t>(number);
    digest[2] = static_cast<std::uint8_t>(number >> 8);
    digest[8] = digest[15] = 1;
    digest[9] = static_cast<std::uint8_t>(number);
    digest[31] = static_cast<std::uint8_t>(number >> 16);
    return digest;
}

constexpr std::int64_t kNow = 1800000000;
constexpr std::int64_t kExpires = kNow + 900;

inline ClaimFacts facts_of(unsigned number)
{
    ClaimFacts facts;
    facts.key = digest_of(number);
    facts.binding.resource.fill(0x11);
    facts.redeliver_key.fill(0x22);
    facts.payer.fill(0x33);
    facts.binding.asked[31] = facts.binding.paid[31] = 100;
    facts.expires = kExpires;
    return facts;
}

// What the table has counted, after a repair: claims VERIFYING, or UNKNOWN and
// once verified; and verified payments of a payer that wait for their settle.
inline std::size_t open_claims(ClaimTable &table)
{
    table.settles_first({}, kNow);  // repairs
    return table.memory().header().open_cells;
}

inline unsigned waiting_of(ClaimTable &table, const Digest &payer)
{
    table.settles_first(payer, kNow);
    const ClaimMemory &memory = table.memory();
    for (std::size_t number = 0; number < memory.payer_count(); ++number) {
        const PayerRecord &record = memory.payer(number);
        if (record.taken != 0 && record.payer == payer) {
            return record.waiting;
        }
    }
    return 0;
}

// The zone as one worker sees it.
class ClaimZone : public testing::Test {
protected:
    ClaimZone() : ClaimZone(ClaimTable::least_bytes()) {}

    explicit ClaimZone(std::size_t bytes)
        : memory_((bytes + 7) / 8),
          bytes_(bytes),
          formatted_(ClaimTable::format(memory_.data(), bytes)),
          table_(memory_.data(), process_lives)
    {
        living_processes() = {100};
        owner_ = table_.attach(100, kNow);
    }

    void SetUp() override
    {
        ASSERT_TRUE(formatted_);
        ASSERT_NE(owner_.stamp, 0u);
    }

    ClaimView look(unsigned number, std::int64_t now = kNow)
    {
        return table_.look_up(facts_of(number), now);
    }

    ClaimState state(unsigned number, std::int64_t now = kNow)
    {
        return look(number, now).state;
    }

    TakeOutcome try_take(unsigned number, ClaimRef &ref,
                         std::int64_t now = kNow)
    {
        return table_.take(facts_of(number), owner_, now, ref);
    }

    // A claim in state verifying.
    ClaimRef take(unsigned number, std::int64_t now = kNow)
    {
        ClaimRef ref;
        EXPECT_EQ(try_take(number, ref, now), TakeOutcome::taken) << number;
        EXPECT_TRUE(ref) << number;
        return ref;
    }

    ClaimRef verified(unsigned number, std::int64_t now = kNow)
    {
        ClaimRef ref = take(number, now);
        table_.set_verified(ref);
        return ref;
    }

    // A claim that was verified and whose settle has been sent.
    ClaimRef settle(unsigned number, const std::string &bytes = "settle",
                    std::int64_t now = kNow)
    {
        ClaimRef ref = verified(number, now);
        table_.set_settling(ref, bytes, 7, now);
        return ref;
    }

    ClaimRef unknown(unsigned number, const std::string &bytes = "settle")
    {
        ClaimRef ref = settle(number, bytes);
        table_.set_unknown(ref, kNow);
        return ref;
    }

    // Content is owed: paid, and no request works on it.
    ClaimRef owed(unsigned number)
    {
        ClaimRef ref = settle(number);
        EXPECT_TRUE(table_.set_paid(ref, "receipt", kNow));
        table_.set_owed(ref);
        return ref;
    }

    std::vector<std::uint64_t> memory_;
    std::size_t bytes_;
    bool formatted_;
    ClaimTable table_;
    ClaimOwner owner_;
};

inline std::string text_of_size(std::size_t size, char seed = 'a')
{
    std::string text(size, seed);
    for (std::size_t place = 0; place < size; ++place) {
        text[place] = static_cast<char>('!' + (place * 31 + place / 97) % 90);
    }
    if (size > 0) {
        text[0] = seed;
    }
    return text;
}

}  // namespace x402

#endif
