// SPDX-License-Identifier: Apache-2.0
#include "session/claim_census.hpp"

#include "session/claim_memory.hpp"
#include "session/claim_zone.hpp"

namespace x402 {
namespace {

class ClaimCensusOf : public ClaimZone {
protected:
    ClaimCensusOf() : ClaimZone(1024 * 1024) {}

    ClaimCensus census() const
    {
        ClaimCensus counted;
        std::size_t place = 0;
        while (census_part(table_.memory(), place, counted)) {
        }
        return counted;
    }

    static std::uint64_t in(const ClaimCensus &counted, ClaimState state)
    {
        return counted.states[static_cast<std::size_t>(state)];
    }

    ClaimRef pay(unsigned number, std::int64_t now)
    {
        ClaimRef ref = take(number);
        table_.set_verified(ref);
        table_.set_settling(ref, "bytes", 42, now);
        return ref;
    }
};

TEST_F(ClaimCensusOf, AnEmptyTableIsFree)
{
    ClaimCensus counted = census();
    EXPECT_EQ(counted.capacity, table_.capacity());
    EXPECT_EQ(in(counted, ClaimState::free), table_.capacity());
    EXPECT_EQ(counted.in_flight, 0u);
    EXPECT_EQ(counted.owed, 0u);
    EXPECT_EQ(counted.listed, 0u);
}

TEST_F(ClaimCensusOf, ClaimsAreCountedByTheirState)
{
    take(1);
    pay(2, kNow);
    ClaimRef delivering = pay(3, kNow);
    table_.set_paid(delivering, "{}", kNow);
    ClaimRef owed = pay(4, kNow);
    table_.set_paid(owed, "{}", kNow + 4);
    table_.set_owed(owed);
    table_.set_unknown(pay(5, kNow + 5), kNow + 5);
    table_.set_unknown(pay(6, kNow + 3), kNow + 6);
    table_.set_refused(pay(7, kNow), kNow);
    ClaimRef done = pay(8, kNow);
    table_.set_paid(done, "{}", kNow);
    table_.set_delivered(done, kNow);
    table_.free(take(9));

    ClaimCensus counted = census();
    EXPECT_EQ(in(counted, ClaimState::verifying), 1u);
    EXPECT_EQ(in(counted, ClaimState::settling), 1u);
    EXPECT_EQ(in(counted, ClaimState::paid), 2u);
    EXPECT_EQ(in(counted, ClaimState::unknown), 2u);
    EXPECT_EQ(in(counted, ClaimState::refused), 1u);
    EXPECT_EQ(in(counted, ClaimState::delivered), 1u);
    EXPECT_EQ(in(counted, ClaimState::free), table_.capacity() - 8);
    EXPECT_EQ(counted.in_flight, 3u);
    EXPECT_EQ(counted.owed, 1u);
    EXPECT_EQ(counted.oldest_owed, kNow + 4);
    EXPECT_EQ(counted.oldest_unknown, kNow + 3);
    EXPECT_EQ(counted.listed, 3u);
}

TEST_F(ClaimCensusOf, WhatAKilledWorkerLeftIsCountedAgain)
{
    take(1);
    table_.set_unknown(pay(2, kNow), kNow);
    ClaimHeader &header = table_.memory().header();
    header.cells_in_state[static_cast<std::size_t>(ClaimState::unknown)] = 77;
    header.changing = 1;
    take(3);
    ClaimCensus counted = census();
    EXPECT_EQ(in(counted, ClaimState::verifying), 2u);
    EXPECT_EQ(in(counted, ClaimState::unknown), 1u);
    EXPECT_EQ(counted.listed, 1u);
}

}  // namespace
}  // namespace x402
