// How the claim table lies in memory. Private to the files that implement
// ClaimTable.
#ifndef X402_SESSION_CLAIM_TABLE_LAYOUT_HPP
#define X402_SESSION_CLAIM_TABLE_LAYOUT_HPP

#include <atomic>

#include "session/claim_table.hpp"

namespace x402 {

namespace claim_layout {

constexpr std::uint64_t kMagic = 0x7834303263656c6cULL;
// Raised with every change of the structs below: a worker of another build
// must not read this table.
constexpr std::uint32_t kLayout = 6;

constexpr std::size_t kWorkers = 512;
constexpr std::size_t kCellsPerBucket = 8;
constexpr std::size_t kPayersPerBucket = 8;
constexpr std::size_t kReceiptBytes = 256;
constexpr std::size_t kBlockBytes = 1024;
constexpr std::uint32_t kNoBlock = 0xffffffff;
constexpr std::size_t kMaxBlocksLooked = 4096;
constexpr std::size_t kCellsSwept = 512;
constexpr std::int64_t kUnprovenWindow = 24 * 3600;
constexpr std::int64_t kRefusedWindow = 600;
constexpr std::int64_t kFirstRetry = 5;  // seconds; then three times as long
constexpr std::int64_t kLastRetry = 600;
constexpr unsigned kOwedLooked = 64;
constexpr unsigned kDueLooked = 64;
constexpr std::size_t kTextBytes = 128;

enum CellFlag : std::uint8_t {
    kWasVerified = 1,
    kEverUnknown = 2,
    kFirstSettleSent = 4,
    kCloseUnsaid = 8,  // CLOSED, and next_due() has not told anybody
    kNoted = 16,       // the journal knows of it
    kOnlyGuard = 32,   // ClaimFacts.only_guard
};

// A payment that was sent to settle, or taken for good.
inline bool is_journaled(ClaimState state)
{
    return state != ClaimState::free && state != ClaimState::verifying
           && state != ClaimState::verified;
}

// The compiler must not move a store over the one of the state word.
inline void store_fence()
{
    std::atomic_thread_fence(std::memory_order_release);
}

}  // namespace claim_layout

using namespace claim_layout;

// Places in a list, of cells by their number + 1; 0: none.
struct ClaimTable::Link {
    std::uint32_t before;
    std::uint32_t behind;
};

struct ClaimTable::Worker {
    std::int64_t process;
    std::uint32_t stamp;
    std::uint32_t reserved;
};

struct ClaimTable::Header {
    std::uint64_t magic;
    std::uint32_t layout;
    std::uint32_t next_stamp;
    std::uint64_t bytes;
    std::uint64_t next_generation;
    std::uint64_t next_block;  // where the search for free blocks goes on
    std::uint32_t changing;    // 1: what is derived may be half changed
    std::uint32_t open_cells;  // derived: VERIFYING and UNKNOWN
    std::uint64_t next_swept;
    Digest journal;  // which one; zeros: none
    std::int64_t journal_tried;
    std::uint32_t journal_failed;  // 1: claims changed that it does not know
    // 1: the next edition may look complete, and does not count yet.
    std::uint32_t journal_turning;
    std::uint64_t journal_edition;
    std::uint64_t journal_base;  // its size when it was written anew, bytes
    ClaimOwner journal_writer;   // who writes the next one
    Link due;  // derived: the list of open settlements, its last and its first
    Worker workers[kWorkers];
};

struct ClaimTable::Cell {
    std::uint32_t state;
    std::uint8_t flags;
    std::uint8_t executions;
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
    Digest resource;
    Digest redeliver_key;
    Digest payer;
    Digest settle_digest;  // of bytes that are not kept
    std::array<std::uint8_t, 32> amount;
    char receipt[kReceiptBytes];
    Digest money;
    std::int64_t next_try;  // when an UNKNOWN claim is to be asked about
    Link owed_link;         // derived: of the same payer and resource
    Link due_link;          // derived
    std::uint8_t tries;
    std::uint8_t text_bytes[3];
    std::uint32_t settle_check;  // of bytes that are kept
    char texts[kTextBytes];      // network, payer, asset, one behind the other

    ClaimState claim_state() const { return static_cast<ClaimState>(state); }
};

struct ClaimTable::Block {
    std::uint64_t generation;  // of the claim it belongs to
    std::uint32_t cell;
    std::uint32_t next;
    char bytes[kBlockBytes - 16];
};

struct ClaimTable::Payer {
    Digest payer;
    std::int64_t unproven[kMaxUnproven];  // when; 0: not yet
    std::int64_t refused_at;              // the last settle of his; 0: never
    std::uint32_t waiting;  // derived: verified claims that wait for settle
    std::uint32_t taken;    // 0: a free record

    std::int64_t last_used() const;
    bool matters(std::int64_t now) const;
};

// Where each area begins, from the size alone.
struct ClaimTable::Areas {
    std::size_t buckets;
    std::size_t cells_at;
    std::size_t blocks;
    std::size_t blocks_at;
    std::size_t payer_buckets;
    std::size_t payers_at;
    std::size_t heads_at;  // a list of owed_link for each, as many as cells
};

}  // namespace x402

#endif
