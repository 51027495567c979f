// SPDX-License-Identifier: Apache-2.0
// The memory of payments, shared by all workers: a fixed table of cells in a
// block of memory that someone else owns (the nginx zone; a vector in tests).
//
// No allocation, no pointers, no trees: a worker that dies between two stores
// leaves a valid table, because the state word of a cell is written last. The
// caller holds the zone's lock around every call. Nothing here calls out.
//
// A cell belongs to a claim key (policy/claim_key.hpp). A cell with an owner is
// in the hands of a request or a settlement of that worker. If the owner is
// dead, the next look tidies up: what was not sent is free again, a settlement
// becomes unknown, content that was paid for is owed.
//
// This is what the rest of the product sees. The work is done by the parts:
// ClaimMemory (layout), ClaimOwners (workers), ClaimCells (places and states),
// OwedLists and DueList, SettleBlocks, PayerRecords, JournalWriter, and
// ClaimReplay at start.
#ifndef X402_SESSION_CLAIM_TABLE_HPP
#define X402_SESSION_CLAIM_TABLE_HPP

#include <string>
#include <string_view>

#include "session/claim.hpp"
#include "session/claim_cells.hpp"
#include "session/claim_journal.hpp"
#include "session/journal_writer.hpp"
#include "session/settle_blocks.hpp"

namespace x402 {

class ClaimTable {
public:
    // Bytes needed for at least one bucket of everything; claims that a table
    // of `bytes` holds.
    static std::size_t least_bytes() { return ClaimMemory::least_bytes(); }
    static std::size_t capacity_of(std::size_t bytes)
    {
        return ClaimMemory::capacity_of(bytes);
    }
    // Lays a table out in zeroed memory, aligned to 8. False: too small.
    static bool format(void *memory, std::size_t bytes)
    {
        return ClaimMemory::format(memory, bytes);
    }
    // True if the memory holds a table of this very layout and size.
    static bool recognises(const void *memory, std::size_t bytes)
    {
        return ClaimMemory::recognises(memory, bytes);
    }

    // Lifetime: borrows a formatted block. `is_alive` tells whether a process
    // (by pid) still runs.
    ClaimTable(void *memory, IsAlive is_alive);
    ClaimTable(const ClaimTable &) = delete;
    ClaimTable &operator=(const ClaimTable &) = delete;

    // Money: with a journal every change that says something about money is in
    // it before the operation returns; while it cannot be written take() says
    // full. See JournalWriter::use().
    JournalWriter &journal() { return journal_; }
    const JournalWriter &journal() const { return journal_; }
    // Which journal belongs to the table: needed to adopt the memory after a
    // reload.
    static const Digest &journal_identity(const void *memory);
    void set_journal_identity(const Digest &identity, std::uint64_t edition,
                              std::uint64_t size);
    // The present edition, and its size in bytes when it was rewritten.
    std::uint64_t journal_edition() const;
    std::uint64_t journal_base() const;
    // Fills a new table from a journal: see ClaimReplay.
    ReplayReport replay(std::string_view journal, std::int64_t now);
    // The same of a journal that another nginx, with a table of its own, still
    // writes (a binary upgrade): see ClaimReplay::follow(). `process` is a
    // living one that has no claims itself. False: no slot.
    bool follow(std::string_view journal, std::int64_t process,
                std::int64_t now, ReplayReport &report);
    // No process of it is left: what it had in hand is unknown, or owed.
    void end_follow(std::int64_t process, std::int64_t now);

    // The claim as a journal would tell of it. A record without a key: there is
    // none.
    JournalRecord record(ClaimRef ref, RecordPart part = RecordPart::all) const;
    // The same into a record of another claim, whose texts lend their memory.
    void fill_record(ClaimRef ref, RecordPart part,
                     JournalRecord &record) const;
    // A claim that other machines know, and without an owner there, is this
    // table's too, without an owner. An empty ref: it is in use or over here,
    // or finds no room. What is known to be paid here stays so.
    ClaimRef adopt(const JournalRecord &record, std::int64_t now);
    // What is owed to the payer, as resume_owed() finds it; takes nothing.
    ClaimView find_owed(const Purchase &purchase, std::int64_t now);

    // Names that go with their claims. Lifetime: borrows; nullptr: none.
    void use_names(PaymentIds *names) { cells_.use_names(names); }
    // The payment has this name (PaymentIds::note): it is forgotten when the
    // claim is freed or refused, and kept once it was paid.
    void set_name(ClaimRef ref, std::uint32_t place);

    // Gives the calling worker a slot; a slot whose process died is taken over,
    // which orphans that process's cells. Stamp 0 if all slots are taken. What
    // the dead left is tidied up at once, in all of the table.
    ClaimOwner attach(std::int64_t process, std::int64_t now);
    void detach(ClaimOwner owner, std::int64_t now);

    // What is known of the payment, and whether `facts` name the same client.
    ClaimView look_up(const ClaimFacts &facts, std::int64_t now);
    ClaimView view(ClaimRef ref) const;

    // A new claim in state verifying. Takes a free cell of its buckets, or one
    // that guards no money (ClaimCells::find_room); none if half of the table
    // is open (see ClaimCells), or while the journal cannot be written. A
    // REFUSED claim of the same key begins again.
    TakeOutcome take(const ClaimFacts &facts, ClaimOwner owner,
                     std::int64_t now, ClaimRef &ref);
    // Takes an UNKNOWN or owed PAID claim into the hands of a request; PAID
    // counts one more execution and is refused (false) after kMaxExecutions.
    bool resume(ClaimRef ref, ClaimOwner owner);

    // For the ledger; before set_settling(). What does not fit is left out.
    void set_texts(ClaimRef ref, std::string_view network,
                   std::string_view payer, std::string_view asset);
    // What settle is about to ask for; before set_settling().
    void set_amount_paid(ClaimRef ref, const AmountBytes &paid);
    ClaimTexts texts(ClaimRef ref) const;

    // The facilitator says that the payment is good. False: content must not be
    // made on trust (PayerRecords::admit): the claim stays VERIFYING, and is
    // settled before content or freed.
    bool set_verified(ClaimRef ref);
    // Content is made without the facilitator's word: counts as an execution.
    // The claim stays VERIFYING. `on_record`: on that of the payer, which has
    // signed the payment. False: another payment has used the record up, and
    // this one has to be verified.
    bool set_served_unverified(ClaimRef ref, bool on_record);
    // The content of a verified payment leaves before it is settled, on the
    // record of its payer, which has to have `least` settlements or more
    // (PayerRecords::spend_for_stream). It is not made again. False: it must
    // be held.
    bool set_streamed(ClaimRef ref, unsigned least);
    // Money: before the first byte of settle leaves. `bytes` are kept when they
    // fit and there is room, else only their digest (stored_settle is empty).
    // False: the journal cannot be written, and nothing may be sent.
    bool set_settling(ClaimRef ref, std::string_view bytes,
                      std::uint64_t facilitator, std::int64_t now);
    // An UNKNOWN claim whose payment was never verified, and that has no owner,
    // is given to another payment of the same key, which was verified: what
    // was to be settled, and for what, is this from now on, and the claim is
    // the caller's. It stays UNKNOWN, and never verified: no unproven rule will
    // end it. False: it cannot be had, or not be journaled.
    bool take_over(ClaimRef ref, const ClaimFacts &facts, ClaimOwner owner,
                   std::string_view bytes, std::uint64_t facilitator,
                   std::int64_t now);
    void set_first_settle_sent(ClaimRef ref, bool sent = true);
    // Money: before the first byte of content leaves. A receipt that is too
    // long for the cell is refused (false) and must be shortened. With
    // `makes_content` the caller goes on to the content, which counts as an
    // execution unless this claim's was counted at set_verified(); a settlement
    // whose client left makes none.
    bool set_paid(ClaimRef ref, std::string_view receipt, std::int64_t now,
                  bool makes_content = true);
    void set_delivered(ClaimRef ref, std::int64_t now);
    void set_refused(ClaimRef ref, std::int64_t now);
    void set_unknown(ClaimRef ref, std::int64_t now);
    // PAID without an owner: content is owed.
    void set_owed(ClaimRef ref);
    void free(ClaimRef ref);
    // Frees a verified claim whose client left before settle; counts against
    // its payer (PayerRecords::record_abandoned).
    void abandon(ClaimRef ref, std::int64_t now);

    // What is owed to a payer, whichever payment it presents: an owed PAID
    // claim that covers the purchase is taken as resume() does; `claim` is what
    // is known of it. False: none. At most one caller gets a claim.
    bool resume_owed(const Purchase &purchase, ClaimOwner owner,
                     std::int64_t now, ClaimView &claim);
    // Whether there is a claim that resume_owed() or find_unknown() would find;
    // takes nothing.
    bool has_older(const Purchase &purchase, std::int64_t now);
    // An UNKNOWN claim of the payer that would cover the purchase, or one that
    // is being settled again (in_use); state free: none. A claim that was never
    // verified does not count: anyone could have made it in the payer's name.
    ClaimView find_unknown(const Purchase &purchase, std::int64_t now);

    // The next UNKNOWN claim that is to be asked about, owned by the caller
    // (end with set_settling() or, if that cannot be, set_unknown()); or one
    // that was CLOSED. Asked as DueList::plan_retry() says, until validBefore,
    // if its settle bytes are here. Looks at a bounded number of claims: call
    // it every second until it says nothing.
    DueClaim next_due(ClaimOwner owner, std::int64_t now);

    // The next claim, from `place` on, that has no owner and is owed or
    // UNKNOWN, for a store that has forgotten it; `place` is then behind it. An
    // empty ref: none among a bounded number of cells, or, where `place` is
    // capacity(), no more at all. Takes nothing.
    ClaimRef next_kept(std::size_t &place, std::int64_t now);

    // The settle request as it was sent; empty if only its digest was kept.
    std::string stored_settle(ClaimRef ref) const;
    bool settle_digest_is(ClaimRef ref, const Digest &digest) const;

    // See PayerRecords.
    bool settles_first(const Digest &payer, std::int64_t now);
    // Whether a payment from this client may be settled without verify. Money:
    // if not, it is verified first, so that forged payments whose outcome is
    // unknown cannot fill the table.
    bool may_settle_unverified(std::uint32_t client, std::int64_t now)
    {
        return cells_.may_settle_unverified(client, now);
    }
    // Whether content may be made before it is known that the payment is good
    // (x402_verify), for this client address.
    bool may_serve_unverified(std::uint32_t client, std::int64_t now)
    {
        return payers_.may_serve_unverified(client, now);
    }
    // The last settlements of the payer here, under these terms, succeeded.
    bool settled_lately(const ClaimFacts &facts) const
    {
        return payers_.settled_lately(facts);
    }
    bool count_unproven(const Digest &payer, unsigned limit, std::int64_t now);

    std::size_t capacity() const { return memory_.capacity(); }
    // For counting only (claim_census.hpp), which needs no lock.
    const ClaimMemory &memory() const { return memory_; }

private:
    ClaimCell *find_room(const Digest &key, std::int64_t now);
    template <class Fits>
    ClaimCell *find_older(const Purchase &purchase, std::int64_t now,
                          Fits fits);

    ClaimMemory memory_;
    ClaimOwners owners_;
    SettleBlocks blocks_;
    UsedPayments used_;
    JournalWriter journal_;
    PayerRecords payers_;
    OwedLists owed_;
    DueList due_;
    ClaimCells cells_;
};

}  // namespace x402

#endif
