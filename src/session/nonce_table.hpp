// SPDX-License-Identifier: Apache-2.0
// The nonces of sign-in-with-x that were used, in shared memory: a byte each
// (bloom_filter.hpp), so that strangers cannot easily use it up. While no sheet
// is empty there is room for payers alone.
#ifndef X402_SESSION_NONCE_TABLE_HPP
#define X402_SESSION_NONCE_TABLE_HPP

#include "session/bloom_filter.hpp"

namespace x402 {

// nginx: a server that starts tries for so long to listen where the one before
// it still does.
constexpr std::int64_t kRestartSeconds = 3;

enum class NonceUse { first, again, no_room };

// Whose signature it is: of one that gets in by it, or of one that has bought
// nothing. Money: a stranger's counts too, because it may buy in a moment.
enum class NonceOf { payer, unknown_payer };

class NonceTable {
public:
    static std::size_t least_bytes();
    // Writes an empty table. Precondition: zeroed, aligned to 8, at least
    // least_bytes().
    static void format(void *memory, std::size_t bytes);
    // Whether a table of this build and size is there.
    static bool recognises(const void *memory, std::size_t bytes);

    // A table that was formatted. Hold the zone's lock.
    explicit NonceTable(void *memory);

    // What was used before this moment is not known (unix seconds).
    void begin(std::int64_t now);
    // When a nonce of now is issued, so that it can be used: after the table
    // began, though that may be some seconds ahead.
    std::int64_t moment(std::int64_t now) const;

    // `nonce`: its digest, which was issued at `issued` and cannot be used from
    // `expires` on (unix seconds). `again` also for what was issued when the
    // table began or before, and for a rare other one, see RotatingBloomFilter.
    NonceUse use(const Digest &nonce, std::int64_t issued, std::int64_t expires,
                 std::int64_t now, NonceOf whose);
    // Whether it was used here since the table began.
    bool has(const Digest &nonce, std::int64_t now) const
    {
        return sheets_.has(nonce, now);
    }

private:
    struct Head;

    Head *head_;
    RotatingBloomFilter sheets_;
};

}  // namespace x402

#endif
