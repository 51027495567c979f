// SPDX-License-Identifier: Apache-2.0
// What a claim table knows about payers: a fixed area of records in buckets of
// eight. A record that still matters (payments waiting, a refusal of the last
// ten minutes, an unproven delivery of the last day) is never given to another
// payer; one that does not is, the longest unused first, and those of payers
// whose settlements succeeded last. A payer for which there is no record is not
// trusted. What a payer has settled is in a record of its own for each of the
// terms it paid under. A client address has a record while it has claims that
// were never verified, or after one of them was refused for which content was
// made.
#ifndef X402_SESSION_PAYER_RECORDS_HPP
#define X402_SESSION_PAYER_RECORDS_HPP

#include "session/claim_memory.hpp"
#include "session/journal_writer.hpp"

namespace x402 {

// Settlements in a row after which a payer has a good record, and after which
// it grows no more.
constexpr unsigned kGoodRecord = 3;
constexpr unsigned kBestRecord = kGoodRecord + kMaxWaiting - 1;

class PayerRecords {
public:
    // Lifetime: borrows both.
    PayerRecords(const ClaimMemory &memory, JournalWriter &journal)
        : memory_(memory), journal_(journal)
    {
    }

    // Whether a payment of this payer is settled before content: it has
    // kMaxWaiting payments waiting or abandoned lately, a settle was refused in
    // the last ten minutes, or there is no room for its record.
    bool settles_first(const Digest &payer, std::int64_t now) const;
    // The same once the payment was verified; makes the record.
    bool admit(const Digest &payer, std::int64_t now);

    // A verified payment begins, or stops, to wait for its settle.
    void add_waiting(const ClaimCell &cell);
    void remove_waiting(const ClaimCell &cell);
    // A claim of this client's address is_unverified() from now on, or was.
    void add_unverified(const ClaimCell &cell);
    void remove_unverified(const ClaimCell &cell);
    std::size_t unverified_of(std::uint32_t client) const;
    // The client's payments were not refused in the last ten minutes after
    // content was made for them without verify; and half of its bucket is free
    // to remember that, so that forgers cannot take the records of payers.
    bool may_serve_unverified(std::uint32_t client, std::int64_t now) const;
    void record_unverified_refusal(std::uint32_t client, std::int64_t now);
    // Whether there is a record to count in.
    bool has_room_for(std::uint32_t client, std::int64_t now) const;
    // The counts are derived from the cells: to be counted again.
    void reset_counts();

    void record_refused(const Digest &payer, std::int64_t now);
    // A settlement succeeded; or it did not, or is unknown. Forgotten when the
    // record is wanted for another payer, or at a restart. Money: it counts
    // under the terms of the claim alone: what was paid in test money, or to a
    // receiver that may be the payer itself, says nothing about other money.
    // What was spent for the claim is given back. What was settled for 0 does
    // not count.
    void record_settled(const ClaimCell &cell, std::int64_t now);
    void forget_settled(const ClaimCell &cell);
    // Money: content is made on the payer's record. Its settlement gives back
    // what that costs, and nothing else does: so a payer never has more made
    // for nothing than it has paid for, and at most kMaxWaiting at once. False:
    // the record is not good.
    bool spend_settled(const ClaimCell &cell);
    bool settled_lately(const ClaimFacts &facts) const;
    // Money: the record counts for nothing until this stream is settled, and
    // other settlements are not added to it meanwhile: so one stream of a payer
    // is on its way at a time. If it has expired unsettled, the record is
    // gone. False: there are fewer settlements than `least` (at most
    // kBestRecord).
    bool spend_for_stream(const ClaimCell &cell, unsigned least);

    // A verified payment was left before its settle, which costs the payer
    // nothing and the server a slot and its work: it counts as one that waits
    // until the payer has abandoned none for five minutes.
    void record_abandoned(const Digest &payer, std::int64_t now);
    // One more unproven delivery, unless the payer had `limit` (at most
    // kMaxUnproven) in the last 24 hours or has no record (then false).
    bool count_unproven(const Digest &payer, unsigned limit, std::int64_t now);

    // As a journal has it. False: no room.
    bool restore(const JournalRecord &record, std::int64_t now);

private:
    PayerRecord *find(const Digest &payer) const;
    PayerRecord *find_room(const Digest &payer, std::int64_t now) const;
    PayerRecord *find_or_make(const Digest &payer, std::int64_t now);
    std::size_t vacant_of(const Digest &name, std::int64_t now) const;

    const ClaimMemory &memory_;
    JournalWriter &journal_;
};

}  // namespace x402

#endif
