// SPDX-License-Identifier: Apache-2.0
// Writes the journal of a claim table: what is appended when a claim or a payer
// changes, and how the journal is rewritten while it is in use.
//
// Written are the changes that say something about money, each as the whole
// claim; nothing about a payment that was never settled, which is free after a
// restart. While a record cannot be written the table takes no new claims, and
// when the journal can be written again all that is known goes into it, and
// what is in front of that counts no more. Until then a claim whose end was
// lost is open in the journal, never free.
//
// Rewriting: the next edition goes into the other of two files. It begins with
// what the table knows, piece by piece, so that no worker waits for all of it.
// Then follows what was appended to the present edition since that began, then
// the record `complete`. A later record overrides an earlier one, so a piece
// that was newer than what follows it is caught up with. Until `complete` is
// there the present edition is the journal; a start takes the newest complete
// one.
//
// Money: between `complete` and the moment at which all workers append to the
// new edition lies the one instant at which a kill could leave two journals, of
// which the newer would miss what follows. `journal_turning` covers it: a
// worker that finds it set empties the unused file before it writes.
#ifndef X402_SESSION_JOURNAL_WRITER_HPP
#define X402_SESSION_JOURNAL_WRITER_HPP

#include <string>

#include "session/claim_journal.hpp"
#include "session/claim_memory.hpp"
#include "session/claim_owners.hpp"
#include "session/claim_record.hpp"
#include "session/settle_blocks.hpp"
#include "session/used_payments.hpp"

namespace x402 {

class JournalWriter {
public:
    // Lifetime: borrows all.
    JournalWriter(const ClaimMemory &memory, const ClaimOwners &owners,
                  const SettleBlocks &blocks, const UsedPayments &used)
        : memory_(memory), owners_(owners), blocks_(blocks), used_(used)
    {
    }

    // Lifetime: borrows; nullptr: none, and nothing is written.
    void use(JournalPort *port) { port_ = port; }

    // Money: the record is in the journal before these return true.
    bool record_claim(ClaimCell &cell);
    bool record_freed(const ClaimCell &cell);
    bool record_payer(const PayerRecord &payer);
    // The claim as a record.
    JournalRecord record_of(const ClaimCell &cell,
                            RecordPart part = RecordPart::all) const;
    // As fill_claim_record().
    void fill_record_of(const ClaimCell &cell, RecordPart part,
                        JournalRecord &record) const
    {
        fill_claim_record(cell, blocks_, part, record);
    }
    // The last attempt to write, or to bring it to the disk, failed.
    bool failed() const;
    // False: no new claim may be taken. After a failure all of it is tried
    // again, once a second.
    bool is_ready(std::int64_t now);

    // All that a journal has to know, in pieces, from `place` 0 on; what is
    // past is left out. False: that was the last piece.
    bool part(std::size_t &place, std::int64_t now, std::string &records) const;

    // One worker rewrites the journal into the next edition. What was in the
    // present one from its size at that moment on goes after the pieces of
    // part(), and then the journal turns to the next edition.
    //
    // False: not now; another worker does it, or it cannot be written.
    bool begin_checkpoint(ClaimOwner owner);
    // Carries over what is left from `copied` on. The next edition has `size`
    // bytes, which are on the disk. False: the present edition stays in use.
    bool turn(ClaimOwner owner, std::uint64_t copied, std::uint64_t size);
    // Whether it turned or not.
    void end_checkpoint(ClaimOwner owner);

private:
    template <class Make> bool record(Make make_record);
    bool clear_unfinished_turn();
    bool write_all(std::int64_t now);
    bool write_everything(std::int64_t now, bool is_whole);

    const ClaimMemory &memory_;
    const ClaimOwners &owners_;
    const SettleBlocks &blocks_;
    const UsedPayments &used_;
    JournalPort *port_ = nullptr;
};

}  // namespace x402

#endif
