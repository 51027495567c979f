// SPDX-License-Identifier: Apache-2.0
#include "session/settle_blocks.hpp"

#include <algorithm>
#include <cstring>

namespace x402 {

namespace {

constexpr std::size_t kMaxBlocksLooked = 4096;
constexpr std::size_t kPayload = sizeof(SettleBlock::bytes);

// Tells that memory changed by accident: that needs no digest. FNV-1a, by words
// of eight bytes.
std::uint32_t check_of(std::string_view bytes)
{
    constexpr std::uint64_t kPrime = 0x100000001b3;
    std::uint64_t sum = bytes.size();
    std::uint64_t word = 0;
    for (; bytes.size() >= sizeof(word); bytes.remove_prefix(sizeof(word))) {
        std::memcpy(&word, bytes.data(), sizeof(word));
        sum = (sum ^ word) * kPrime;
    }
    word = 0;
    std::copy_n(bytes.data(), bytes.size(), reinterpret_cast<char *>(&word));
    sum = (sum ^ word) * kPrime;
    return static_cast<std::uint32_t>(sum >> 32 ^ sum);
}

}  // namespace

bool SettleBlocks::is_free(const SettleBlock &block, std::int64_t now) const
{
    if (block.generation == 0) {
        return true;
    }
    const ClaimCell *cell = memory_.cell_of({block.cell, block.generation});
    if (cell == nullptr
        || (cell->claim_state() != ClaimState::settling
            && cell->claim_state() != ClaimState::unknown)) {
        return true;
    }
    // CLOSED, but no worker has looked at it since.
    return cell->expires <= now && !owners_.lives(cell->owner());
}

// The digest is for bytes that the client has to present again.
void SettleBlocks::keep(ClaimCell &cell, std::string_view bytes,
                        std::int64_t now)
{
    cell.first_block = kNoBlock;
    if (!fill(cell, bytes, now)) {
        cell.settle_digest = sha256(bytes);
    }
}

// Chains blocks from the back so that each one is complete before it is linked.
// False: no room.
bool SettleBlocks::fill(ClaimCell &cell, std::string_view bytes,
                        std::int64_t now)
{
    ClaimHeader &header = memory_.header();
    std::size_t all = memory_.block_count();
    if (bytes.empty() || bytes.size() > kMaxSettleBytes || all == 0) {
        return false;
    }
    std::size_t wanted = (bytes.size() + kPayload - 1) / kPayload;
    std::uint32_t found[(kMaxSettleBytes + kPayload - 1) / kPayload];
    std::size_t count = 0;
    std::size_t looked = std::min(all, kMaxBlocksLooked);
    for (std::size_t i = 0; i < looked && count < wanted; i++) {
        std::size_t at = (header.next_block + i) % all;
        if (is_free(memory_.block(at), now)) {
            found[count++] = static_cast<std::uint32_t>(at);
        }
    }
    if (count < wanted) {
        return false;
    }

    std::uint32_t next = kNoBlock;
    for (std::size_t i = wanted; i-- > 0;) {
        SettleBlock &block = memory_.block(found[i]);
        block.generation = 0;
        store_fence();
        std::string_view part = bytes.substr(i * kPayload, kPayload);
        std::memcpy(block.bytes, part.data(), part.size());
        block.cell = memory_.number_of(cell);
        block.next = next;
        store_fence();
        block.generation = cell.generation;
        next = found[i];
    }
    header.next_block = (found[wanted - 1] + 1) % all;
    cell.settle_bytes = static_cast<std::uint32_t>(bytes.size());
    cell.settle_check = check_of(bytes);
    cell.first_block = next;
    return true;
}

void SettleBlocks::drop(ClaimCell &cell)
{
    std::uint32_t at = cell.first_block;
    cell.settle_digest = {};
    cell.settle_bytes = 0;
    cell.first_block = kNoBlock;
    store_fence();
    while (at < memory_.block_count()) {
        SettleBlock &block = memory_.block(at);
        if (block.generation != cell.generation
            || block.cell != memory_.number_of(cell)) {
            return;
        }
        block.generation = 0;
        at = block.next;
    }
}

std::string SettleBlocks::stored(const ClaimCell &cell) const
{
    std::string out;
    if (cell.settle_bytes > kMaxSettleBytes) {
        return out;
    }
    std::uint32_t at = cell.first_block;
    while (at < memory_.block_count() && out.size() < cell.settle_bytes) {
        const SettleBlock &block = memory_.block(at);
        if (block.generation != cell.generation
            || block.cell != memory_.number_of(cell)) {
            return {};
        }
        out.append(block.bytes,
                   std::min(kPayload, cell.settle_bytes - out.size()));
        at = block.next;
    }
    if (out.size() != cell.settle_bytes || check_of(out) != cell.settle_check) {
        return {};
    }
    return out;
}

bool SettleBlocks::digest_is(const ClaimCell &cell, const Digest &digest) const
{
    std::string bytes = stored(cell);
    return (bytes.empty() ? cell.settle_digest : sha256(bytes)) == digest;
}

}  // namespace x402
