// SPDX-License-Identifier: Apache-2.0
#include "session/claim_memory.hpp"

#include <algorithm>

#include "base/decimal_amount.hpp"

namespace x402 {

namespace {

constexpr std::uint64_t kMagic = 0x7834303263656c6cULL;
// Raised with every change of the structs: a worker of another build must not
// read this table.
constexpr std::uint32_t kLayout = 13;

static_assert(sizeof(ClaimCell) == 744, "a change needs another kLayout");
static_assert(sizeof(SettleBlock) == kBlockBytes);

// Where each area begins, from the size alone.
struct Areas {
    std::size_t buckets;
    std::size_t cells_at;
    std::size_t blocks;
    std::size_t blocks_at;
    std::size_t payer_buckets;
    std::size_t payers_at;
    std::size_t used_words;
    std::size_t used_at;
    std::size_t heads_at;
};

Areas areas_of(std::size_t bytes)
{
    Areas areas{};
    std::size_t body =
        bytes > sizeof(ClaimHeader) ? bytes - sizeof(ClaimHeader) : 0;
    // A quarter for settle bytes, a sixteenth for payer records, half of that
    // for payments that were used.
    areas.blocks = body / 4 / sizeof(SettleBlock);
    areas.payer_buckets = body / 16 / (sizeof(PayerRecord) * kPayersPerBucket);
    std::size_t payers =
        areas.payer_buckets * sizeof(PayerRecord) * kPayersPerBucket;
    areas.used_words = body / 32 / (kBloomSheets * sizeof(std::uint64_t));
    std::size_t used = areas.used_words * kBloomSheets * sizeof(std::uint64_t);
    std::size_t rest =
        body - areas.blocks * sizeof(SettleBlock) - payers - used;
    std::size_t bucket =
        (sizeof(ClaimCell) + sizeof(std::uint32_t)) * kCellsPerBucket;
    areas.buckets = rest / bucket;
    areas.cells_at = sizeof(ClaimHeader);
    areas.blocks_at =
        areas.cells_at + areas.buckets * kCellsPerBucket * sizeof(ClaimCell);
    areas.payers_at = areas.blocks_at + areas.blocks * sizeof(SettleBlock);
    areas.used_at = areas.payers_at + payers;
    areas.heads_at = areas.used_at + used;
    return areas;
}

}  // namespace

// What does not fit is left out.
void ClaimCell::set_texts(std::string_view network, std::string_view payer_text,
                          std::string_view asset)
{
    std::size_t used = 0;
    const std::string_view words[] = {network, payer_text, asset};
    for (std::size_t i = 0; i < 3; i++) {
        std::string_view text = words[i];
        if (text.size() > kTextBytes - used) {
            text = {};
        }
        if (!text.empty()) {
            std::memcpy(texts + used, text.data(), text.size());
        }
        text_bytes[i] = static_cast<std::uint8_t>(text.size());
        used += text.size();
    }
}

std::string_view ClaimCell::text(unsigned number) const
{
    std::size_t begin = 0;
    for (unsigned i = 0; i < number; i++) {
        begin += text_bytes[i];
    }
    return std::string_view(texts, kTextBytes)
        .substr(std::min(begin, kTextBytes), text_bytes[number]);
}

ClaimTexts ClaimCell::claim_texts() const
{
    ClaimTexts out;
    out.network = text(0);
    out.payer = text(1);
    out.asset = text(2);
    out.amount = atomic_amount_text(binding.paid);
    return out;
}

std::size_t ClaimMemory::least_bytes()
{
    return sizeof(ClaimHeader) + 19 * 1024;
}

std::size_t ClaimMemory::capacity_of(std::size_t bytes)
{
    return areas_of(bytes).buckets * kCellsPerBucket;
}

bool ClaimMemory::format(void *memory, std::size_t bytes)
{
    if (bytes < least_bytes()) {
        return false;
    }
    auto *header = static_cast<ClaimHeader *>(memory);
    header->layout = kLayout;
    header->next_stamp = 1;
    header->bytes = bytes;
    header->next_generation = 1;
    store_fence();
    header->magic = kMagic;
    return true;
}

bool ClaimMemory::recognises(const void *memory, std::size_t bytes)
{
    const auto *header = static_cast<const ClaimHeader *>(memory);
    return header->magic == kMagic && header->layout == kLayout
           && header->bytes == bytes;
}

ClaimMemory::ClaimMemory(void *memory)
    : header_(static_cast<ClaimHeader *>(memory))
{
    auto *bytes = static_cast<std::uint8_t *>(memory);
    Areas areas = areas_of(header_->bytes);
    cells_ = reinterpret_cast<ClaimCell *>(bytes + areas.cells_at);
    blocks_ = reinterpret_cast<SettleBlock *>(bytes + areas.blocks_at);
    payers_ = reinterpret_cast<PayerRecord *>(bytes + areas.payers_at);
    used_ = reinterpret_cast<std::uint64_t *>(bytes + areas.used_at);
    heads_ = reinterpret_cast<std::uint32_t *>(bytes + areas.heads_at);
    buckets_ = areas.buckets;
    cells_count_ = areas.buckets * kCellsPerBucket;
    blocks_count_ = areas.blocks;
    payers_count_ = areas.payer_buckets * kPayersPerBucket;
    used_words_ = areas.used_words;
}

}  // namespace x402
