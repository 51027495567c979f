// SPDX-License-Identifier: Apache-2.0
#include "session/payment_ids.hpp"

#include <atomic>
#include <cstring>
#include <string>

namespace x402 {

namespace {

constexpr std::uint64_t kMagic = 0x7834303270696473ULL;
// Raised with every change of the structs below: a worker of another build
// must not read this table.
constexpr std::uint32_t kLayout = 2;
constexpr std::size_t kCellsPerBucket = 8;

// A payer's names are in this many buckets, of two choices.
constexpr std::size_t kBucketsOfPayer = 16;

enum CellState : std::uint32_t { kFree = 0, kNoted = 1, kKept = 2 };

std::uint64_t word_of(const Digest &digest, unsigned place)
{
    std::uint64_t word;
    std::memcpy(&word, digest.data() + place * sizeof(word), sizeof(word));
    return word;
}

std::uint32_t tag_in(const Digest &mark)
{
    return static_cast<std::uint32_t>(word_of(mark, 1));
}

// The compiler must not move a store over the one of the state word.
void store_fence()
{
    std::atomic_thread_fence(std::memory_order_release);
}

void append_with_length(std::string &out, std::string_view text)
{
    out += std::to_string(text.size()) + ":";
    out += text;
}

}  // namespace

struct PaymentIds::Header {
    std::uint64_t magic;
    std::uint32_t layout;
    std::uint32_t reserved;
    std::uint64_t bytes;
    std::uint64_t secret;
};

struct PaymentIds::Cell {
    std::uint32_t state;
    std::uint32_t payer_tag;
    std::int64_t expires;
    Digest id;
    Digest claim;

    bool is_used(std::int64_t now) const
    {
        return state != kFree && expires > now;
    }
    void enter_state(CellState next)
    {
        store_fence();
        state = next;
        store_fence();
    }
};

Digest payment_id_key(std::string_view location, std::string_view payer,
                      std::string_view id)
{
    std::string text;
    append_with_length(text, location);
    append_with_length(text, payer);
    append_with_length(text, id);
    return sha256(text);
}

std::size_t PaymentIds::least_bytes()
{
    return sizeof(Header) + kCellsPerBucket * sizeof(Cell);
}

std::size_t PaymentIds::capacity_of(std::size_t bytes)
{
    static_assert(sizeof(Cell) == 80, "a change needs another kLayout");
    std::size_t body = bytes > sizeof(Header) ? bytes - sizeof(Header) : 0;
    return body / (sizeof(Cell) * kCellsPerBucket) * kCellsPerBucket;
}

bool PaymentIds::format(void *memory, std::size_t bytes)
{
    if (bytes < least_bytes()) {
        return false;
    }
    auto *header = static_cast<Header *>(memory);
    header->layout = kLayout;
    header->bytes = bytes;
    store_fence();
    header->magic = kMagic;
    return true;
}

bool PaymentIds::recognises(const void *memory, std::size_t bytes)
{
    const auto *header = static_cast<const Header *>(memory);
    return header->magic == kMagic && header->layout == kLayout
           && header->bytes == bytes;
}

PaymentIds::PaymentIds(void *memory)
    : memory_(static_cast<std::uint8_t *>(memory))
{
}

std::size_t PaymentIds::capacity() const
{
    return capacity_of(reinterpret_cast<Header *>(memory_)->bytes);
}

void PaymentIds::use_secret(void *memory, std::uint64_t secret)
{
    static_cast<Header *>(memory)->secret = secret;
}

// What chooses the places of a payer's names, and tells them from others.
Digest PaymentIds::mark_of(const PaymentName &name) const
{
    std::uint64_t secret = reinterpret_cast<Header *>(memory_)->secret;
    if (secret == 0) {
        return name.payer;
    }
    return hmac_sha256(
        {reinterpret_cast<const char *>(&secret), sizeof(secret)},
        {reinterpret_cast<const char *>(name.payer.data()), name.payer.size()});
}

PaymentIds::Cell *PaymentIds::bucket_of(const PaymentName &name,
                                        const Digest &mark,
                                        unsigned choice) const
{
    std::size_t buckets = capacity() / kCellsPerBucket;
    std::uint64_t own = word_of(name.id, 2 + choice) % kBucketsOfPayer;
    std::size_t bucket = (word_of(mark, 0) % buckets + own) % buckets;
    auto *cells = reinterpret_cast<Cell *>(memory_ + sizeof(Header));
    return cells + bucket * kCellsPerBucket;
}

std::uint32_t PaymentIds::place_of(const Cell &cell) const
{
    auto *cells = reinterpret_cast<Cell *>(memory_ + sizeof(Header));
    return static_cast<std::uint32_t>(&cell - cells) + 1;
}

PaymentIds::Cell *PaymentIds::cell_at(std::uint32_t place,
                                      const Digest &claim) const
{
    if (place == 0 || place > capacity()) {
        return nullptr;
    }
    Cell *cell = reinterpret_cast<Cell *>(memory_ + sizeof(Header)) + place - 1;
    return cell->state != kFree && cell->claim == claim ? cell : nullptr;
}

PaymentIds::Cell *PaymentIds::find(const PaymentName &name,
                                   std::int64_t now) const
{
    Digest mark = mark_of(name);
    for (unsigned choice = 0; choice < 2; choice++) {
        Cell *bucket = bucket_of(name, mark, choice);
        for (std::size_t i = 0; i < kCellsPerBucket; i++) {
            if (bucket[i].is_used(now) && bucket[i].id == name.id) {
                return &bucket[i];
            }
        }
    }
    return nullptr;
}

PaymentIds::Cell *PaymentIds::room_for(const PaymentName &name,
                                       std::int64_t now) const
{
    Cell *oldest = nullptr;
    Digest mark = mark_of(name);
    for (unsigned choice = 0; choice < 2; choice++) {
        Cell *bucket = bucket_of(name, mark, choice);
        for (std::size_t i = 0; i < kCellsPerBucket; i++) {
            Cell &cell = bucket[i];
            if (!cell.is_used(now)) {
                return &cell;
            }
            if (cell.state == kKept && cell.payer_tag == tag_in(mark)
                && (!oldest || cell.expires < oldest->expires)) {
                oldest = &cell;
            }
        }
    }
    return oldest;
}

std::optional<PaymentIds::Holder> PaymentIds::holder_of(const PaymentName &name,
                                                        std::int64_t now) const
{
    const Cell *cell = find(name, now);
    if (cell == nullptr) {
        return std::nullopt;
    }
    return Holder{cell->claim, cell->state == kKept, place_of(*cell)};
}

PaymentIdNote PaymentIds::note(const PaymentName &name, const Digest &claim,
                               std::int64_t expires, std::int64_t now,
                               std::uint32_t &place)
{
    Cell *cell = find(name, now);
    if (cell != nullptr) {
        if (cell->claim != claim) {
            return PaymentIdNote::other_payment;
        }
        cell->expires = expires;
        place = place_of(*cell);
        return PaymentIdNote::noted;
    }
    cell = room_for(name, now);
    if (cell == nullptr) {
        return PaymentIdNote::full;
    }
    cell->enter_state(kFree);
    cell->expires = expires;
    cell->id = name.id;
    cell->claim = claim;
    cell->payer_tag = tag_in(mark_of(name));
    cell->enter_state(kNoted);
    place = place_of(*cell);
    return PaymentIdNote::noted;
}

void PaymentIds::keep(std::uint32_t place, const Digest &claim)
{
    if (Cell *cell = cell_at(place, claim)) {
        cell->enter_state(kKept);
    }
}

void PaymentIds::forget(std::uint32_t place, const Digest &claim)
{
    Cell *cell = cell_at(place, claim);
    if (cell != nullptr && cell->state != kKept) {
        cell->enter_state(kFree);
    }
}

}  // namespace x402
