// SPDX-License-Identifier: Apache-2.0
#include "session/usage_table.hpp"

#include <algorithm>
#include <cstring>

namespace x402 {

namespace {

constexpr std::uint64_t kMagic = 0x7834303275736701ULL;
constexpr std::size_t kWays = 8;
constexpr std::size_t kKeyBytes = 16;
// A worker knows the time of its last event, so that it may be behind the one
// that began a period.
constexpr std::uint64_t kBehindMs = 5000;

}  // namespace

struct UsageTable::Head {
    std::uint64_t magic;
    std::uint64_t bytes;
    std::uint64_t sets;
};

struct UsageTable::Cell {
    std::uint8_t key[kKeyBytes];
    std::uint64_t until_ms;  // free afterwards
    std::uint64_t value;     // of a rate: us when the next is due; or a count
};

std::size_t UsageTable::least_bytes()
{
    return sizeof(Head) + kWays * sizeof(Cell);
}

void UsageTable::format(void *memory, std::size_t bytes)
{
    auto *head = static_cast<Head *>(memory);
    head->bytes = bytes;
    head->sets = (bytes - sizeof(Head)) / (kWays * sizeof(Cell));
    head->magic = kMagic;
}

bool UsageTable::recognises(const void *memory, std::size_t bytes)
{
    auto *head = static_cast<const Head *>(memory);
    return head->magic == kMagic && head->bytes == bytes;
}

UsageTable::UsageTable(void *memory) : head_(static_cast<Head *>(memory)) {}

UsageTable::Cell &UsageTable::find(const Digest &key, std::uint64_t now_ms,
                                   bool &fresh)
{
    std::uint64_t hash;
    std::memcpy(&hash, key.data() + kKeyBytes, sizeof(hash));
    auto *set =
        reinterpret_cast<Cell *>(head_ + 1) + hash % head_->sets * kWays;
    Cell *oldest = set;
    for (Cell *cell = set; cell != set + kWays; cell++) {
        if (std::memcmp(cell->key, key.data(), kKeyBytes) == 0) {
            fresh = cell->until_ms <= now_ms;
            return *cell;
        }
        if (cell->until_ms < oldest->until_ms) {
            oldest = cell;
        }
    }
    fresh = true;
    std::memcpy(oldest->key, key.data(), kKeyBytes);
    oldest->until_ms = 0;
    oldest->value = 0;
    return *oldest;
}

std::uint64_t UsageTable::count(const Digest &key, const UsageRate &rate,
                                std::uint64_t requests, std::uint64_t now_ms)
{
    bool fresh;
    Cell &cell = find(key, now_ms, fresh);
    std::uint64_t now = now_ms * 1000;
    std::uint64_t allowed = rate.burst * rate.interval_us;
    std::uint64_t due = fresh ? now : std::max(cell.value, now);
    // A clock that was set back, or a rate that was another before a reload.
    due = std::min(due, now + allowed + rate.interval_us);
    std::uint64_t last = due + (requests - 1) * rate.interval_us;
    if (last - now > allowed) {
        return (last - now - allowed + 999) / 1000;
    }
    cell.value = last + rate.interval_us;
    cell.until_ms = cell.value / 1000 + 1;
    return 0;
}

std::uint64_t UsageTable::count(const Digest &key, const UsageQuota &quota,
                                std::uint64_t requests, std::uint64_t now_ms)
{
    bool fresh;
    Cell &cell = find(key, now_ms, fresh);
    // A clock that was set back, or a period that was longer before a reload.
    if (fresh || cell.until_ms > now_ms + quota.period_ms + kBehindMs) {
        cell.until_ms = now_ms + quota.period_ms;
        cell.value = 0;
    }
    if (cell.value + requests > quota.limit) {
        return cell.until_ms - now_ms;
    }
    cell.value += requests;
    return 0;
}

}  // namespace x402
