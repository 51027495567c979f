// SPDX-License-Identifier: Apache-2.0
// How often a payer or a key asked, in shared memory: rates and quotas. A table
// of fixed cells in sets of eight; a full set gives up the cell that ends
// first. Figures, not money: what is lost by that is one count.
#ifndef X402_SESSION_USAGE_TABLE_HPP
#define X402_SESSION_USAGE_TABLE_HPP

#include <cstddef>
#include <cstdint>

#include "base/sha256_digest.hpp"

namespace x402 {

// Requests in even distances; `burst` more may come at once.
struct UsageRate {
    std::uint64_t interval_us = 0;  // between two
    std::uint64_t burst = 0;
};

// So many requests from the first one on, then none until the period ends.
struct UsageQuota {
    std::uint64_t limit = 0;
    std::uint64_t period_ms = 0;
};

class UsageTable {
public:
    static std::size_t least_bytes();
    // Writes an empty table. Precondition: zeroed, aligned to 8, at least
    // least_bytes().
    static void format(void *memory, std::size_t bytes);
    // Whether a table of this build and size is there.
    static bool recognises(const void *memory, std::size_t bytes);

    // A table that was formatted. Hold the zone's lock.
    explicit UsageTable(void *memory);

    // 0: so many `requests`, 1 at least, may continue, and were counted.
    // Otherwise the time until they may, in milliseconds; more than `burst` or
    // `limit` has room for never may. `key` names the rule and its subject.
    std::uint64_t count(const Digest &key, const UsageRate &rate,
                        std::uint64_t requests, std::uint64_t now_ms);
    std::uint64_t count(const Digest &key, const UsageQuota &quota,
                        std::uint64_t requests, std::uint64_t now_ms);

private:
    struct Head;
    struct Cell;

    // The cell of the key, or one that it may have; `fresh` says which.
    Cell &find(const Digest &key, std::uint64_t now_ms, bool &fresh);

    Head *head_;
};

}  // namespace x402

#endif
