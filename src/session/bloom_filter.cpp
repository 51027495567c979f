// SPDX-License-Identifier: Apache-2.0
#include "session/bloom_filter.hpp"

#include <algorithm>
#include <cstring>

#include "session/store_fence.hpp"

namespace x402 {

namespace {

constexpr unsigned kBitsEach = 4;
// At eight bits of room for each a sheet that is full finds one stranger in
// forty.
constexpr std::size_t kRoomEach = 8;
constexpr std::size_t kWordBits = 64;

std::uint64_t mixed(std::uint64_t value)
{
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
    return value ^ (value >> 31);
}

}  // namespace

template <class Visit>
void RotatingBloomFilter::for_bits_of(const Digest &key, Visit visit) const
{
    std::uint64_t hash = 0;
    for (std::size_t at = 0; at < key.size(); at += sizeof(hash)) {
        std::uint64_t word;
        std::memcpy(&word, key.data() + at, sizeof(word));
        hash = mixed(hash ^ word);
    }
    std::uint64_t step = mixed(hash) | 1;
    std::size_t bits = words_ * kWordBits;
    for (unsigned i = 0; i < kBitsEach; i++) {
        std::size_t bit = (hash + i * step) % bits;
        visit(bit / kWordBits, std::uint64_t{1} << (bit % kWordBits));
    }
}

// Killed in the middle, it is cleared again before it is used.
void RotatingBloomFilter::clear(unsigned number)
{
    BloomSheet &head = heads_[number];
    head.latest = 0;
    store_fence();
    std::fill_n(sheet(number), words_, 0);
    store_fence();
    head.count = 0;
}

bool RotatingBloomFilter::add(const Digest &key, std::int64_t expires,
                              std::int64_t now)
{
    std::size_t most = words_ * kWordBits / kRoomEach;
    for (unsigned number = 0; number < kBloomSheets; number++) {
        BloomSheet &head = heads_[number];
        if (head.latest <= now) {
            clear(number);
        }
        if (head.count >= most) {
            continue;
        }
        // Money: the time first, or the sheet could be emptied too early.
        head.latest = std::max(head.latest, expires);
        head.count++;
        store_fence();
        std::uint64_t *words = sheet(number);
        for_bits_of(key, [&](std::size_t word, std::uint64_t bit) {
            words[word] |= bit;
        });
        store_fence();
        return true;
    }
    return false;
}

bool RotatingBloomFilter::has(const Digest &key, std::int64_t now) const
{
    for (unsigned number = 0; number < kBloomSheets; number++) {
        if (heads_[number].latest <= now) {
            continue;
        }
        const std::uint64_t *words = sheet(number);
        bool all = true;
        for_bits_of(key, [&](std::size_t word, std::uint64_t bit) {
            all = all && (words[word] & bit) != 0;
        });
        if (all) {
            return true;
        }
    }
    return false;
}

}  // namespace x402
