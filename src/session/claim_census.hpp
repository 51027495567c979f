// SPDX-License-Identifier: Apache-2.0
// How many claims there are in each state, and which of them need the attention
// of the operator, counted in small steps and without the zone's lock: the
// figures of a status page, good to a second, never a basis for a decision
// about money.
#ifndef X402_SESSION_CLAIM_CENSUS_HPP
#define X402_SESSION_CLAIM_CENSUS_HPP

#include <array>
#include <cstdint>

#include "base/sha256_digest.hpp"
#include "session/claim.hpp"

namespace x402 {

constexpr std::size_t kCensusStates = kClaimStates;

// A payment whose outcome is unknown, or whose content is owed.
struct OpenPayment {
    Digest key{};
    std::uint32_t state = 0;  // ClaimState
    std::int64_t since = 0;   // unix s: the first settle, or the last change
    std::array<std::uint8_t, 32> amount{};
    char network[40] = {};  // ends with NUL; cut where it is longer
    char asset[72] = {};
};

struct ClaimCensus {
    static constexpr std::size_t kListed = 32;

    std::int64_t taken = 0;  // unix s: when the count ended; 0: never
    std::uint64_t capacity = 0;
    std::array<std::uint64_t, kCensusStates> states{};
    std::uint64_t in_flight = 0;  // a living request or settlement works on it
    std::uint64_t owed = 0;       // PAID, and no request works on it
    std::int64_t oldest_unknown = 0;  // unix s; 0: none
    std::int64_t oldest_owed = 0;     // unix s; 0: none
    // Of the journal, as the server knows it.
    bool has_journal = false;
    bool journal_writable = false;
    std::uint64_t journal_bytes = 0;
    std::uint32_t listed = 0;
    std::array<OpenPayment, kListed> open{};  // in no order

    // Adds one that is open: the oldest kListed are kept.
    void list(const OpenPayment &payment)
    {
        if (listed < kListed) {
            open[listed++] = payment;
            return;
        }
        OpenPayment *youngest = &open[0];
        for (OpenPayment &other : open) {
            youngest = other.since > youngest->since ? &other : youngest;
        }
        if (payment.since < youngest->since) {
            *youngest = payment;
        }
    }
};

class ClaimMemory;

// Counts what is in some thousand lists of open claims from `place` on, without
// the lock; at the end the states. False: those were the last ones.
bool census_part(const ClaimMemory &memory, std::size_t &place,
                 ClaimCensus &census);

}  // namespace x402

#endif
