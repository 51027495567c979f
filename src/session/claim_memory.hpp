// SPDX-License-Identifier: Apache-2.0
// How the claim table lies in memory: a header, cells, blocks of settle bytes,
// payer records, the heads of the lists of owed claims and the bits of payments
// that were used, in one block that someone else owns. Private to the parts of
// the claim table.
//
// All of it is plain data without pointers, so that it is valid in every
// process that maps it. The state word of a cell is written last.
#ifndef X402_SESSION_CLAIM_MEMORY_HPP
#define X402_SESSION_CLAIM_MEMORY_HPP

#include <cstring>

#include "session/bloom_filter.hpp"
#include "session/claim.hpp"
#include "session/journal_commit.hpp"
#include "session/store_fence.hpp"

namespace x402 {

constexpr std::size_t kWorkers = 512;
constexpr std::size_t kCellsPerBucket = 8;
constexpr std::size_t kPayersPerBucket = 8;
constexpr std::size_t kReceiptBytes = 256;
constexpr std::size_t kBlockBytes = 1024;
constexpr std::uint32_t kNoBlock = 0xffffffff;
constexpr std::size_t kTextBytes = 128;

enum ClaimFlag : std::uint8_t {
    kWasVerified = 1,
    kEverUnknown = 2,
    kFirstSettleSent = 4,
    kCloseUnreported = 8,  // CLOSED, and next_due() has not reported it
    kJournaled = 16,       // the journal knows of it
    kOnlyGuard = 32,       // ClaimFacts.only_guard
    kAbandoned = 64,       // its worker died while it was settled
    kTakenOver = 128,      // by a payment that was verified
};

// A payment that was sent to settle, or accepted for good.
inline bool is_journaled(ClaimState state)
{
    return state != ClaimState::free && state != ClaimState::verifying
           && state != ClaimState::verified;
}

// Neighbours in a list, of cells by their number + 1; 0: none.
struct ListLink {
    std::uint32_t before;
    std::uint32_t behind;
};

struct WorkerSlot {
    std::int64_t process;
    std::uint32_t stamp;
    std::uint32_t reserved;
};

struct ClaimHeader {
    std::uint64_t magic;
    std::uint32_t layout;
    std::uint32_t next_stamp;
    std::uint64_t bytes;
    std::uint64_t next_generation;
    std::uint64_t next_block;  // where the search for free blocks continues
    std::uint32_t changing;    // 1: what is derived may be half changed
    // Derived: VERIFYING, and UNKNOWN that was verified.
    std::uint32_t open_cells;
    std::uint64_t next_swept;
    std::uint64_t unverified_cells;              // derived: see is_unverified()
    std::uint64_t cells_in_state[kClaimStates];  // derived; `free` is not kept
    Digest journal;                              // which one; zeros: none
    std::int64_t journal_tried;
    std::uint32_t journal_failed;  // 1: it misses changes of claims
    // 1: the next edition may look complete, and does not count yet.
    std::uint32_t journal_turning;
    std::uint64_t journal_edition;
    std::uint64_t journal_base;  // its size when it was rewritten, bytes
    ClaimOwner journal_writer;   // which worker writes the next one
    ListLink due;  // derived: the list of open settlements, last and first
    CommitState commit;  // of the journal; used without the lock
    BloomSheet used[kBloomSheets];
    WorkerSlot workers[kWorkers];
};

struct ClaimCell {
    std::uint32_t state;
    std::uint8_t flags;
    std::uint8_t executions : 4;
    std::uint8_t served : 1;     // while VERIFYING: set_served_unverified()
    std::uint8_t on_record : 1;  // of its payer: PayerRecords::spend_settled()
    std::uint8_t streamed : 1;   // ClaimTable::set_streamed()
    std::uint16_t receipt_bytes;
    std::uint64_t generation;
    std::int64_t expires;
    std::int64_t changed;
    std::uint32_t owner_slot;
    std::uint32_t owner_stamp;
    std::uint64_t facilitator;
    std::uint32_t first_block;
    std::uint32_t settle_bytes;
    std::int64_t settle_started;
    Digest key;
    Digest redeliver_key;
    Digest payer;
    Digest settle_digest;  // of bytes that are not kept
    ClaimBinding binding;
    char receipt[kReceiptBytes];
    std::int64_t next_try;  // when an UNKNOWN claim is to be asked about
    ListLink owed_link;     // derived: of the same payer and resource
    ListLink due_link;      // derived
    std::uint8_t tries;
    std::uint8_t text_bytes[3];
    std::uint32_t settle_check;  // of bytes that are kept
    std::uint32_t name;          // PaymentName.place; 0: none
    std::uint32_t client;        // ClaimFacts.client
    char texts[kTextBytes];      // network, payer, asset, one after the other

    // The facilitator said once that the payer can pay for this.
    bool payer_was_verified() const
    {
        return flags & (kWasVerified | kTakenOver);
    }
    // Settled without verify, or about to be (content is made), and the outcome
    // is open: anyone can make such a claim, and once it is sent it cannot be
    // given up before its payment expires.
    bool is_unverified() const
    {
        ClaimState now = claim_state();
        bool open = now == ClaimState::settling || now == ClaimState::unknown
                    || (now == ClaimState::verifying && served != 0);
        return open && !payer_was_verified();
    }
    ClaimState claim_state() const { return static_cast<ClaimState>(state); }
    ClaimOwner owner() const { return {owner_slot, owner_stamp}; }
    // The slot first: a cell with a stamp has an owner.
    void set_owner(ClaimOwner owner)
    {
        owner_slot = owner.slot;
        store_fence();
        owner_stamp = owner.stamp;
    }
    void set_texts(std::string_view network, std::string_view payer_text,
                   std::string_view asset);
    // 0 to 2: network, payer, asset. Lifetime: the cell.
    std::string_view text(unsigned number) const;
    ClaimTexts claim_texts() const;
};

struct SettleBlock {
    std::uint64_t generation;  // of the claim it belongs to
    std::uint32_t cell;
    std::uint32_t next;
    char bytes[kBlockBytes - 16];
};

// Of a payer, or of a client address.
struct PayerRecord {
    Digest payer;
    std::int64_t unproven[kMaxUnproven];  // when; 0: not yet
    std::int64_t refused_at;              // its last refused settle; 0: never
    std::uint32_t waiting;  // derived: verified claims that wait for settle
    std::uint32_t taken;    // 0: a free record
    // Derived, of an address: its claims that is_unverified().
    std::uint32_t unverified;
    std::uint16_t abandoned;  // verified payments, see abandoned_at
    std::uint16_t settled;    // its record: see PayerRecords::record_settled()
    std::int64_t abandoned_at;  // the last of them; 0: never
    // ClaimCell.expires of a stream that is sent before it is paid; 0: none.
    std::int64_t stream_expires;
};

// Finds its way in a formatted block.
class ClaimMemory {
public:
    // Bytes needed for at least one bucket of everything.
    static std::size_t least_bytes();
    // Claims that a table of `bytes` holds.
    static std::size_t capacity_of(std::size_t bytes);
    // Lays a table out in zeroed memory, aligned to 8. False: too small.
    static bool format(void *memory, std::size_t bytes);
    // True if the memory holds a table of this very layout and size.
    static bool recognises(const void *memory, std::size_t bytes);

    // Lifetime: borrows a formatted block.
    explicit ClaimMemory(void *memory);

    ClaimHeader &header() const { return *header_; }
    std::size_t capacity() const { return cells_count_; }
    ClaimCell &cell(std::size_t number) const { return cells_[number]; }
    // The claim, while its cell has not been given to another payment.
    ClaimCell *cell_of(ClaimRef ref) const
    {
        if (!ref || ref.cell >= cells_count_) {
            return nullptr;
        }
        ClaimCell &cell = cells_[ref.cell];
        bool same = cell.claim_state() != ClaimState::free
                    && cell.generation == ref.generation;
        return same ? &cell : nullptr;
    }
    std::uint32_t number_of(const ClaimCell &cell) const
    {
        return static_cast<std::uint32_t>(&cell - cells_);
    }
    ClaimRef ref_of(const ClaimCell &cell) const
    {
        return {number_of(cell), cell.generation};
    }
    // The first of the kCellsPerBucket cells that a key may lie in; a key has
    // two such buckets.
    ClaimCell *bucket_of(const Digest &key, unsigned choice) const
    {
        std::size_t bucket = hash_of(key, choice) % buckets_;
        return cells_ + bucket * kCellsPerBucket;
    }

    std::size_t block_count() const { return blocks_count_; }
    SettleBlock &block(std::size_t number) const { return blocks_[number]; }

    std::size_t payer_count() const { return payers_count_; }
    PayerRecord &payer(std::size_t number) const { return payers_[number]; }
    // The first of the kPayersPerBucket records that a payer may lie in.
    PayerRecord *payer_bucket(const Digest &payer) const
    {
        std::size_t bucket =
            hash_of(payer, 0) % (payers_count_ / kPayersPerBucket);
        return payers_ + bucket * kPayersPerBucket;
    }

    // In a sheet of UsedPayments.
    std::size_t used_words() const { return used_words_; }
    std::uint64_t *used_sheet(unsigned number) const
    {
        return used_ + number * used_words_;
    }

    // As many as cells: the head of a list of cells, by number + 1.
    std::uint32_t *owed_heads() const { return heads_; }

private:
    static std::uint64_t hash_of(const Digest &digest, unsigned choice)
    {
        std::uint64_t hash;
        std::memcpy(&hash, digest.data() + choice * sizeof(hash), sizeof(hash));
        return hash;
    }

    ClaimHeader *header_;
    ClaimCell *cells_;
    SettleBlock *blocks_;
    PayerRecord *payers_;
    std::uint32_t *heads_;
    std::uint64_t *used_;
    std::size_t buckets_;
    std::size_t cells_count_;
    std::size_t blocks_count_;
    std::size_t payers_count_;
    std::size_t used_words_;
};

}  // namespace x402

#endif
