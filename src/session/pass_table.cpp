// SPDX-License-Identifier: Apache-2.0
#include "session/pass_table.hpp"

#include <algorithm>
#include <cstring>

namespace x402 {

namespace {

constexpr std::uint64_t kMagic = 0x7834303270617301ULL;
constexpr std::size_t kWays = 8;
constexpr int kSets = 2;

}  // namespace

struct PassTable::Head {
    std::uint64_t magic;
    std::uint64_t bytes;
    std::uint64_t sets;
};

struct PassTable::Cell {
    std::int64_t expires;  // unix s; 0: free
    PassId id;
    std::uint32_t left;
    std::uint32_t total;
};

std::size_t PassTable::least_bytes()
{
    return sizeof(Head) + kWays * sizeof(Cell);
}

std::size_t PassTable::capacity(std::size_t bytes)
{
    return (bytes - sizeof(Head)) / (kWays * sizeof(Cell)) * kWays;
}

void PassTable::format(void *memory, std::size_t bytes)
{
    auto *head = static_cast<Head *>(memory);
    head->bytes = bytes;
    head->sets = capacity(bytes) / kWays;
    head->magic = kMagic;
}

bool PassTable::recognises(const void *memory, std::size_t bytes)
{
    auto *head = static_cast<const Head *>(memory);
    return head->magic == kMagic && head->bytes == bytes;
}

PassTable::PassTable(void *memory) : head_(static_cast<Head *>(memory)) {}

// An id is a digest: its halves choose well.
PassTable::Cell *PassTable::set_of(const PassId &id, int which)
{
    std::uint64_t hash;
    std::memcpy(&hash, id.data() + static_cast<std::size_t>(which) * 8,
                sizeof(hash));
    return reinterpret_cast<Cell *>(head_ + 1) + hash % head_->sets * kWays;
}

PassTable::Cell *PassTable::find(const PassId &id)
{
    for (int which = 0; which < kSets; which++) {
        Cell *set = set_of(id, which);
        for (Cell *cell = set; cell != set + kWays; cell++) {
            if (cell->expires != 0 && cell->id == id) {
                return cell;
            }
        }
    }
    return nullptr;
}

// Money: a pass that is used up keeps its cell until it expires. Without it the
// payment that bought it would fill it again, and a request on its way could
// not be given back.
PassTable::Cell *PassTable::find_room(const PassId &id, std::int64_t now)
{
    for (int which = 0; which < kSets; which++) {
        Cell *set = set_of(id, which);
        for (Cell *cell = set; cell != set + kWays; cell++) {
            if (cell->expires <= now) {
                return cell;
            }
        }
    }
    return nullptr;
}

bool PassTable::issue(const PassId &id, std::uint32_t requests,
                      std::int64_t expires, std::int64_t now,
                      std::uint32_t &left)
{
    Cell *cell = find(id);
    if (cell && cell->expires > now) {
        left = cell->left;
        return true;
    }
    if (cell == nullptr) {
        cell = find_room(id, now);
    }
    if (cell == nullptr) {
        return false;
    }
    // Free until its last word is written: a worker may be killed here.
    cell->expires = 0;
    cell->id = id;
    cell->left = cell->total = left = requests;
    cell->expires = expires;
    return true;
}

PassFault PassTable::use(const PassId &id, std::uint32_t requests,
                         std::int64_t now, std::uint32_t &left)
{
    Cell *cell = find(id);
    if (cell == nullptr || cell->expires <= now) {
        return PassFault::unknown;
    }
    if (cell->left < requests) {
        return PassFault::used_up;
    }
    left = cell->left -= requests;
    return PassFault::none;
}

void PassTable::give_back(const PassId &id, std::uint32_t requests)
{
    Cell *cell = find(id);
    if (cell) {
        cell->left += std::min(requests, cell->total - cell->left);
    }
}

}  // namespace x402
