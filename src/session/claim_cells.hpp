// SPDX-License-Identifier: Apache-2.0
// The cells of a claim table: where a claim lies, and what its state is.
//
// What is derived from the cells (the number of open claims, the payments that
// a payer has waiting, the lists of open_lists.hpp) changes together with a
// state word, between two stores of `changing`. A worker that is killed in
// between leaves that word set: the next change of a state counts the whole
// table again, once, and goes on.
//
// A claim whose owner died is tidied up when it is looked at: what was not sent
// is free, a settlement is unknown, content that was paid for is owed.
#ifndef X402_SESSION_CLAIM_CELLS_HPP
#define X402_SESSION_CLAIM_CELLS_HPP

#include "session/claim_memory.hpp"
#include "session/claim_owners.hpp"
#include "session/open_lists.hpp"
#include "session/payer_records.hpp"
#include "session/payment_ids.hpp"
#include "session/used_payments.hpp"

namespace x402 {

class ClaimCells {
public:
    // Lifetime: borrows all.
    ClaimCells(const ClaimMemory &memory, const ClaimOwners &owners,
               PayerRecords &payers, OwedLists &owed, DueList &due,
               UsedPayments &used)
        : memory_(memory),
          owners_(owners),
          payers_(payers),
          owed_(owed),
          due_(due),
          used_(used)
    {
    }

    // Names that go with their claims (payment-identifier). Lifetime: borrows.
    void use_names(PaymentIds *names) { names_ = names; }

    ClaimCell *find(const Digest &key) const;
    // A cell for a new claim: a free one, else one that expired, else the
    // oldest that guards no money (REFUSED or CLOSED), else the oldest that was
    // DELIVERED, of which UsedPayments remembers that it is used. One that only
    // this table guards may move to its other bucket (`moved`, to be written to
    // the journal). nullptr: all are needed.
    ClaimCell *find_room(const Digest &key, std::int64_t now,
                         ClaimCell **moved = nullptr);
    // Fills the cell for a new claim; its state is still free.
    void begin(ClaimCell &cell, const ClaimFacts &facts, std::int64_t now);

    void enter_state(ClaimCell &cell, ClaimState next);
    // Changes what others are derived from: state, payer, resource, or the flag
    // kCloseUnreported.
    template <class Change> void change(ClaimCell &cell, Change change);

    // Gives an unowned cell the state that is true of the money.
    void tidy(ClaimCell &cell, std::int64_t now);
    // Tidies the next `count` cells of the table.
    void sweep(std::size_t count, std::int64_t now);
    // Finishes the change of a killed worker. To be called before anything
    // derived is read.
    void repair();

    // Open claims (VERIFYING, and UNKNOWN that was verified) use at most half
    // of the cells.
    bool may_open_another(std::int64_t now);
    // Claims that are settled without verify use at most an eighth of the
    // cells, and those of one client address an eighth of these.
    bool may_settle_unverified(std::uint32_t client, std::int64_t now);

private:
    ClaimCell *give_up_one(const Digest &key, std::int64_t now);
    ClaimCell *move_one(const Digest &key, ClaimCell **moved);
    void withdraw(ClaimCell &cell);
    void enlist(ClaimCell &cell);
    void change_name(const ClaimCell &cell);

    const ClaimMemory &memory_;
    const ClaimOwners &owners_;
    PayerRecords &payers_;
    OwedLists &owed_;
    DueList &due_;
    UsedPayments &used_;
    PaymentIds *names_ = nullptr;
};

template <class Change> void ClaimCells::change(ClaimCell &cell, Change change)
{
    repair();
    ClaimHeader &header = memory_.header();
    header.changing = 1;
    store_fence();
    withdraw(cell);
    store_fence();
    change();
    store_fence();
    enlist(cell);
    store_fence();
    header.changing = 0;
}

}  // namespace x402

#endif
