// The settle requests that a ClaimTable keeps while their outcome is open.
#include <algorithm>
#include <cstring>
#include <functional>

#include "session/claim_table.hpp"
#include "session/claim_table_layout.hpp"

namespace x402 {

namespace {

// Tells that memory changed, which nobody does on purpose: no digest needed.
std::uint32_t check_of(std::string_view bytes)
{
    return static_cast<std::uint32_t>(std::hash<std::string_view>()(bytes));
}

}  // namespace

bool ClaimTable::block_is_free(const Block &block, std::int64_t now) const
{
    if (block.generation == 0) {
        return true;
    }
    const Cell *cell = cell_of({block.cell, block.generation});
    if (cell == nullptr
        || (cell->claim_state() != ClaimState::settling
            && cell->claim_state() != ClaimState::unknown)) {
        return true;
    }
    // CLOSED, only that nobody has looked at it since.
    return cell->expires <= now && !owner_lives(*cell);
}

// The digest is for bytes that have to come from somebody else again.
void ClaimTable::keep_settle(Cell &cell, std::string_view bytes,
                             std::int64_t now)
{
    cell.first_block = kNoBlock;
    if (!fill_blocks(cell, bytes, now)) {
        cell.settle_digest = sha256(bytes);
    }
}

// Chains blocks from the back so that each one is complete before it is linked.
// False: no room.
bool ClaimTable::fill_blocks(Cell &cell, std::string_view bytes,
                             std::int64_t now)
{
    auto *header = reinterpret_cast<Header *>(memory_);
    Areas areas = areas_of(header->bytes);
    auto *blocks = reinterpret_cast<Block *>(memory_ + areas.blocks_at);
    constexpr std::size_t kPayload = sizeof(Block::bytes);

    if (bytes.empty() || bytes.size() > kMaxSettleBytes || areas.blocks == 0) {
        return false;
    }
    std::size_t wanted = (bytes.size() + kPayload - 1) / kPayload;
    std::uint32_t found[(kMaxSettleBytes + kPayload - 1) / kPayload];
    std::size_t count = 0;
    std::size_t looked = std::min(areas.blocks, kMaxBlocksLooked);
    for (std::size_t i = 0; i < looked && count < wanted; i++) {
        std::size_t at = (header->next_block + i) % areas.blocks;
        if (block_is_free(blocks[at], now)) {
            found[count++] = static_cast<std::uint32_t>(at);
        }
    }
    if (count < wanted) {
        return false;
    }

    std::uint32_t next = kNoBlock;
    for (std::size_t i = wanted; i-- > 0;) {
        Block &block = blocks[found[i]];
        block.generation = 0;
        store_fence();
        std::string_view part = bytes.substr(i * kPayload, kPayload);
        std::memcpy(block.bytes, part.data(), part.size());
        block.cell = number_of(cell);
        block.next = next;
        store_fence();
        block.generation = cell.generation;
        next = found[i];
    }
    header->next_block = (found[wanted - 1] + 1) % areas.blocks;
    cell.settle_bytes = static_cast<std::uint32_t>(bytes.size());
    cell.settle_check = check_of(bytes);
    cell.first_block = next;
    return true;
}

// Its blocks are free for others at once.
void ClaimTable::drop_settle_bytes(Cell &cell) const
{
    Areas areas = areas_of(reinterpret_cast<Header *>(memory_)->bytes);
    auto *blocks = reinterpret_cast<Block *>(memory_ + areas.blocks_at);
    std::uint32_t at = cell.first_block;
    cell.settle_digest = {};
    cell.settle_bytes = 0;
    cell.first_block = kNoBlock;
    store_fence();
    while (at < areas.blocks && blocks[at].generation == cell.generation
           && blocks[at].cell == number_of(cell)) {
        blocks[at].generation = 0;
        at = blocks[at].next;
    }
}

// Money: killed in the middle this leaves a claim without a settle request: it
// can be neither asked about nor presented, and is CLOSED in the end.
bool ClaimTable::take_over(ClaimRef ref, const ClaimFacts &facts,
                           ClaimOwner owner, std::string_view bytes,
                           std::uint64_t facilitator, std::int64_t now)
{
    Cell *cell = cell_of(ref);
    if (cell == nullptr || cell->claim_state() != ClaimState::unknown
        || cell->owner_stamp != 0 || (cell->flags & kWasVerified)
        || cell->key != facts.key || cell->expires <= now) {
        return false;
    }
    repair();
    auto *header = reinterpret_cast<Header *>(memory_);
    header->changing = 1;
    store_fence();
    withdraw(*cell);
    drop_settle_bytes(*cell);
    cell->resource = facts.resource;
    cell->redeliver_key = facts.redeliver_key;
    cell->payer = facts.payer;
    cell->amount = facts.amount;
    cell->money = facts.money;
    cell->expires = std::max(cell->expires, facts.expires);
    cell->facilitator = facilitator;
    cell->settle_started = now;
    cell->changed = now;
    cell->tries = 0;
    keep_settle(*cell, bytes, now);
    store_fence();
    enlist(*cell);
    store_fence();
    header->changing = 0;
    if (!record_claim(*cell)) {
        return false;
    }
    cell->owner_slot = owner.slot;
    store_fence();
    cell->owner_stamp = owner.stamp;
    return true;
}

std::string ClaimTable::stored_settle(ClaimRef ref) const
{
    std::string out;
    const Cell *cell = cell_of(ref);
    if (cell == nullptr || cell->settle_bytes > kMaxSettleBytes) {
        return out;
    }
    Areas areas = areas_of(reinterpret_cast<Header *>(memory_)->bytes);
    auto *blocks = reinterpret_cast<Block *>(memory_ + areas.blocks_at);
    std::uint32_t at = cell->first_block;
    while (at < areas.blocks && out.size() < cell->settle_bytes) {
        const Block &block = blocks[at];
        if (block.generation != cell->generation || block.cell != ref.cell) {
            return {};
        }
        out.append(block.bytes, std::min(sizeof(block.bytes),
                                         cell->settle_bytes - out.size()));
        at = block.next;
    }
    if (out.size() != cell->settle_bytes
        || check_of(out) != cell->settle_check) {
        return {};
    }
    return out;
}

bool ClaimTable::settle_digest_is(ClaimRef ref, const Digest &digest) const
{
    const Cell *cell = cell_of(ref);
    if (cell == nullptr) {
        return false;
    }
    std::string stored = stored_settle(ref);
    return (stored.empty() ? cell->settle_digest : sha256(stored)) == digest;
}

}  // namespace x402
