#include "session/payment_ids.hpp"

#include <atomic>
#include <cstring>
#include <string>

namespace x402 {

namespace {

constexpr std::uint64_t kMagic = 0x7834303270696473ULL;
// Raised with every change of the structs below: a worker of another build
// must not read this table.
constexpr std::uint32_t kLayout = 1;
constexpr std::size_t kCellsPerBucket = 8;

enum CellState : std::uint32_t { kFree = 0, kUsed = 1 };

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
    std::uint64_t reserved_too;
};

struct PaymentIds::Cell {
    std::uint32_t state;
    std::uint32_t reserved;
    std::int64_t expires;
    Digest id;
    Digest claim;

    bool is_used(std::int64_t now) const
    {
        return state == kUsed && expires > now;
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

PaymentIds::Cell *PaymentIds::bucket_of(const Digest &id, unsigned choice) const
{
    std::uint64_t hash;
    std::memcpy(&hash, id.data() + choice * sizeof(hash), sizeof(hash));
    auto *cells = reinterpret_cast<Cell *>(memory_ + sizeof(Header));
    return cells + hash % (capacity() / kCellsPerBucket) * kCellsPerBucket;
}

PaymentIds::Cell *PaymentIds::find(const Digest &id, std::int64_t now) const
{
    for (unsigned choice = 0; choice < 2; choice++) {
        Cell *bucket = bucket_of(id, choice);
        for (std::size_t i = 0; i < kCellsPerBucket; i++) {
            if (bucket[i].is_used(now) && bucket[i].id == id) {
                return &bucket[i];
            }
        }
    }
    return nullptr;
}

PaymentIds::Cell *PaymentIds::room_for(const Digest &id, std::int64_t now) const
{
    for (unsigned choice = 0; choice < 2; choice++) {
        Cell *bucket = bucket_of(id, choice);
        for (std::size_t i = 0; i < kCellsPerBucket; i++) {
            if (!bucket[i].is_used(now)) {
                return &bucket[i];
            }
        }
    }
    return nullptr;
}

std::optional<Digest> PaymentIds::claim_of(const Digest &id,
                                           std::int64_t now) const
{
    const Cell *cell = find(id, now);
    return cell ? std::optional<Digest>(cell->claim) : std::nullopt;
}

PaymentIdNote PaymentIds::note(const Digest &id, const Digest &claim,
                               std::int64_t expires, std::int64_t now)
{
    if (Cell *known = find(id, now)) {
        if (known->claim != claim) {
            return PaymentIdNote::other_payment;
        }
        known->expires = expires;
        return PaymentIdNote::noted;
    }
    Cell *cell = room_for(id, now);
    if (cell == nullptr) {
        return PaymentIdNote::full;
    }
    cell->enter_state(kFree);
    cell->expires = expires;
    cell->id = id;
    cell->claim = claim;
    cell->enter_state(kUsed);
    return PaymentIdNote::noted;
}

void PaymentIds::forget(const Digest &id, const Digest &claim)
{
    for (unsigned choice = 0; choice < 2; choice++) {
        Cell *bucket = bucket_of(id, choice);
        for (std::size_t i = 0; i < kCellsPerBucket; i++) {
            if (bucket[i].state == kUsed && bucket[i].id == id
                && bucket[i].claim == claim) {
                bucket[i].enter_state(kFree);
            }
        }
    }
}

}  // namespace x402
