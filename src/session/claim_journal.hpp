// SPDX-License-Identifier: Apache-2.0
// The journal of claims as bytes: what a ClaimTable appends when something
// about money changes, and what a new table is filled from at start.
//
// A record is a frame (mark, kind, length, check) around a whole claim, the
// name of one that became free, a payer's record, or a piece of what is kept of
// used payments; the last one about a claim counts. The check is the beginning
// of a SHA-256: whatever a killed process, a full disk or a broken one left
// behind is recognised and passed over, and the reader goes on at the next
// mark. A mark is not text, so that it cannot be in the JSON of a payment or a
// receipt.
//
// Two files take turns, so that a journal can be rewritten while it is in
// use (journal_writer.hpp): the next *edition* goes into the other one, and
// counts from its record `complete` on. Even editions are the first file's.
//
// Knows no file: see nginx/ngx_http_x402_journal.
#ifndef X402_SESSION_CLAIM_JOURNAL_HPP
#define X402_SESSION_CLAIM_JOURNAL_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/sha256_digest.hpp"
#include "session/claim_binding.hpp"

namespace x402 {

// Where records go. Called under the zone's lock.
class JournalPort {
public:
    virtual ~JournalPort() = default;
    // All of the record, or false: nothing more can be written for now.
    virtual bool append(std::uint64_t edition, std::string_view record) = 0;
    // The file of this edition is empty then.
    virtual bool clear(std::uint64_t edition) = 0;
    // What is in this edition from there on goes after the next one.
    virtual bool carry_over(std::uint64_t edition, std::uint64_t from) = 0;
    // No other nginx writes this journal until unlock_alone(); false: one does.
    virtual bool lock_alone() { return true; }
    virtual void unlock_alone() {}
    // Of all that is in this edition from there on; zeros where there is
    // nothing to check, as in memory. False: it cannot be read.
    virtual bool digest(std::uint64_t, std::uint64_t, Digest &out)
    {
        out = Digest();
        return true;
    }
};

// `whole` ends what the last `begin` began: all that was known then is between
// them, and what is in front says nothing any more.
//
// `claim` is an older form of `bound_claim`: the amount is all that it says of
// the binding. A table reads it and never writes it.
enum class JournalKind : std::uint32_t {
    begin = 1,
    claim,
    freed,
    payer,
    complete,
    bound_claim,
    used,
    whole,
};

inline bool tells_of_claim(JournalKind kind)
{
    return kind == JournalKind::claim || kind == JournalKind::bound_claim;
}

// Bits of a sheet of UsedPayments, which expire with the record.
struct UsedPiece {
    std::uint32_t sheet = 0;
    std::uint64_t words = 0;  // of the whole sheet
    std::uint64_t first = 0;  // word of this piece
    std::uint64_t count = 0;  // payments in the sheet
    std::string bits;
};

// One record. Which members count depends on the kind.
struct JournalRecord {
    JournalKind kind = JournalKind::begin;
    Digest key{};  // of the claim; of the payer; holds the edition, or a size

    std::uint32_t state = 0;
    std::uint8_t flags = 0;
    std::uint8_t executions = 0;
    std::int64_t expires = 0;
    std::int64_t changed = 0;
    std::int64_t settle_started = 0;
    std::uint64_t facilitator = 0;
    ClaimBinding binding;
    Digest redeliver_key{};
    Digest payer{};
    Digest settle_digest{};
    std::string receipt;
    std::string network;
    std::string payer_text;
    std::string asset;
    std::string settle;  // the request; empty: not kept

    std::array<std::int64_t, 3> unproven{};
    std::int64_t refused_at = 0;

    UsedPiece used;
};

std::string journal_bytes(const JournalRecord &record);
// A claim without the frame and its settle request, for a keeper that loses no
// half of it.
std::string claim_bytes(const JournalRecord &record);
// The same after what is in `out`.
void write_claim_bytes(const JournalRecord &record, std::string &out);
// False: these are not the bytes of one claim and nothing else.
bool read_claim_bytes(std::string_view bytes, JournalRecord &record);
// A record `begin` or `complete`.
std::string journal_edge(JournalKind kind, std::uint64_t edition);
// A record `complete` that counts only if what is in front of it, from byte
// `from` on, has this digest: after a loss of power it may be on the disk
// without them.
std::string journal_end(std::uint64_t edition, std::uint64_t from,
                        const Digest &in_front);

// A record `whole`, after `size` bytes of which the first are the record
// `begin`. Without all of them it says nothing.
std::string journal_whole(std::uint64_t size);

// Goes through the bytes of a journal.
class JournalReader {
public:
    // Lifetime: borrows.
    explicit JournalReader(std::string_view bytes) : bytes_(bytes), rest_(bytes)
    {
    }

    // The next record that is whole; false: no more.
    bool next(JournalRecord &record);
    // Bytes passed over so far because they were not a record.
    std::size_t skipped() const { return skipped_; }
    // All in front of the last record.
    std::string_view in_front() const { return bytes_.substr(0, begin_); }

private:
    std::string_view bytes_;
    std::string_view rest_;
    std::size_t begin_ = 0;
    std::size_t skipped_ = 0;
};

// What a file is, as a whole.
struct JournalSummary {
    bool is_journal = false;  // else: another's file, or another build's
    std::size_t records = 0;
    std::size_t skipped = 0;  // bytes that are not a record
    bool complete = false;
    std::uint64_t edition = 0;  // of what is complete
    // The byte from which on its records are to be replayed: the `begin` of
    // the last `whole`.
    std::size_t counts_from = 0;
};
JournalSummary journal_summary(std::string_view bytes);

// Which of the two counts, by what they are: 0 or 1.
unsigned newer_journal(const JournalSummary &first,
                       const JournalSummary &second);

}  // namespace x402

#endif
