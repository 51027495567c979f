// SPDX-License-Identifier: Apache-2.0
// What is used up until it expires, in a few bits each: two sheets of bits (a
// Bloom filter) in memory that someone else owns and that processes share.
//
// What was added is always found again until it expires. Of all else at most
// one in twenty is found as well, when both sheets are full. A sheet is emptied
// when everything in it has expired.
#ifndef X402_SESSION_BLOOM_FILTER_HPP
#define X402_SESSION_BLOOM_FILTER_HPP

#include <cstddef>
#include <cstdint>

#include "base/sha256_digest.hpp"

namespace x402 {

// When everything in it has expired, and how much is in it.
struct BloomSheet {
    std::int64_t latest;  // unix seconds; 0: empty
    std::uint64_t count;
};
constexpr unsigned kBloomSheets = 2;

class RotatingBloomFilter {
public:
    // Lifetime: borrows. `heads`: kBloomSheets of them, zeroed once; `bits`:
    // kBloomSheets times so many words.
    RotatingBloomFilter(BloomSheet *heads, std::uint64_t *bits,
                        std::size_t words)
        : heads_(heads), bits_(bits), words_(words)
    {
    }

    // `expires`: unix seconds. False: both sheets are full of what can still be
    // used. Killed in the middle, it was added, or it was not.
    bool add(const Digest &key, std::int64_t expires, std::int64_t now);
    bool has(const Digest &key, std::int64_t now) const;

private:
    template <class Visit>
    void for_bits_of(const Digest &key, Visit visit) const;
    void clear(unsigned sheet);
    std::uint64_t *sheet(unsigned number) const
    {
        return bits_ + number * words_;
    }

    BloomSheet *heads_;
    std::uint64_t *bits_;
    std::size_t words_;
};

}  // namespace x402

#endif
