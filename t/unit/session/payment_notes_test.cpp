// SPDX-License-Identifier: Apache-2.0
#include "session/payment_notes.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/ledger_line.hpp"

namespace x402 {
namespace {

static_assert(kLongestPackedFacts <= PaymentNotes::kLongest);

class Notes : public testing::Test {
protected:
    Notes() : memory_(PaymentNotes::bytes() / 8), notes_(memory_.data()) {}

    static Digest payment(unsigned number)
    {
        return sha256(std::to_string(number));
    }

    std::vector<std::uint64_t> memory_;
    PaymentNotes notes_;
};

TEST_F(Notes, AreFoundUntilErased)
{
    EXPECT_EQ(notes_.find(payment(1)), "");
    notes_.put(payment(1), "first", 10);
    notes_.put(payment(2), "second", 11);
    notes_.put(payment(1), "again", 12);
    EXPECT_EQ(notes_.find(payment(1)), "again");
    EXPECT_EQ(notes_.find(payment(2)), "second");
    notes_.erase(payment(1));
    notes_.erase(payment(3));
    EXPECT_EQ(notes_.find(payment(1)), "");
    EXPECT_EQ(notes_.find(payment(2)), "second");
}

TEST_F(Notes, AreErasedAtTheirPlaceUnlessAnotherIsThere)
{
    std::uint32_t place = notes_.put(payment(1), "first", 10);
    EXPECT_EQ(notes_.put(payment(1), "again", 11), place);
    notes_.erase_at(place, payment(2));
    EXPECT_EQ(notes_.find(payment(1)), "again");
    notes_.erase_at(place, payment(1));
    EXPECT_EQ(notes_.find(payment(1)), "");
    notes_.erase_at(PaymentNotes::kNotes, payment(1));
}

TEST_F(Notes, TheOldestGivesWay)
{
    for (unsigned i = 0; i < 4 * PaymentNotes::kNotes; i++) {
        notes_.put(payment(i), std::to_string(i), i + 1);
        ASSERT_EQ(notes_.find(payment(i)), std::to_string(i));
    }
    unsigned found = 0;
    for (unsigned i = 0; i < 4 * PaymentNotes::kNotes; i++) {
        found += notes_.find(payment(i)).empty() ? 0 : 1;
    }
    EXPECT_EQ(found, PaymentNotes::kNotes);
}

TEST_F(Notes, LongTextsAreCut)
{
    notes_.put(payment(1), std::string(5000, 'x'), 1);
    EXPECT_EQ(notes_.find(payment(1)).size(), PaymentNotes::kLongest);
}

}  // namespace
}  // namespace x402
