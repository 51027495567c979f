// SPDX-License-Identifier: Apache-2.0
// What is known of a claim: the values that the claim table takes and returns.
// A claim is one payment, named by its claim key (policy/claim_key.hpp).
#ifndef X402_SESSION_CLAIM_HPP
#define X402_SESSION_CLAIM_HPP

#include <cstddef>
#include <cstdint>
#include <string>

#include "session/claim_binding.hpp"

namespace x402 {

enum class ClaimState : std::uint32_t {
    free = 0,
    verifying,
    verified,
    settling,
    paid,  // money moved; with an owner: being delivered, without: owed
    delivered,
    refused,
    unknown,
    closed,  // was unknown until its payment could no longer be used
};
constexpr std::size_t kClaimStates = 9;

const char *claim_state_name(ClaimState state);

// Names one claim, not just its cell: a cell that was given to another payment
// has another generation and is out of reach.
struct ClaimRef {
    std::uint32_t cell = 0;
    std::uint64_t generation = 0;  // 0: no claim
    explicit operator bool() const { return generation != 0; }
};

struct ClaimOwner {
    std::uint32_t slot = 0;
    std::uint32_t stamp = 0;  // 0: no owner
};

// What a claim is about; fixed while it lives.
struct ClaimFacts {
    Digest key{};
    ClaimBinding binding;    // what it is taken for
    Digest redeliver_key{};  // which client may ask for it again
    Digest payer{};
    std::uint32_t client = 0;  // hash of the address; 0: not known
    std::int64_t expires = 0;  // unix seconds; the payment is useless then
    // Only this table keeps the payment from being used again: its cell is not
    // given to another payment while this one can be used.
    bool only_guard = false;
};

struct ClaimView {
    ClaimState state = ClaimState::free;
    ClaimRef ref;
    Digest key{};
    bool in_use = false;     // a living owner works on it
    bool abandoned = false;  // UNKNOWN because its worker died; not asked since
    ClaimBinding binding;
    bool same_client = false;
    bool was_verified = false;
    bool ever_unknown = false;
    bool first_settle_sent = false;  // the whole first settle left this machine
    bool never_settled = false;      // PAID on the facilitator's word alone
    bool streamed = false;           // its content left before it was settled
    unsigned executions = 0;         // times content was begun under this claim
    std::uint64_t facilitator = 0;
    std::int64_t settle_started = 0;  // unix seconds; the first one
    std::int64_t expires = 0;
    std::string receipt;  // PAID only
};

// What a ledger line says about a claim. Texts that did not fit are empty.
struct ClaimTexts {
    std::string network;
    std::string payer;
    std::string asset;
    std::string amount;  // atomic units
};

// What a payer wants to buy, whichever payment it presents.
struct Purchase {
    Digest payer{};
    ClaimBinding binding;
};

// What next_due() found.
struct DueClaim {
    enum class Kind {
        nothing,
        ask_again,  // UNKNOWN, owned by the caller now
        closed,     // its payment has expired; reported exactly once
    };
    Kind kind = Kind::nothing;
    ClaimRef ref;
};

enum class TakeOutcome { taken, in_use, full };

struct ReplayReport {
    std::size_t records = 0;
    std::size_t homeless = 0;  // of them: this table has no room for them
    std::size_t skipped = 0;   // bytes that were not a record
};

// Tells whether a process (by pid) still runs.
using IsAlive = bool (*)(std::int64_t process);

// Expiry of a payment that stays usable permanently, so that only this table
// stands between it and its second use: its cell is never reused.
constexpr std::int64_t kNeverExpires = INT64_MAX;
// A claim outlives its payment by this much, because clocks differ:
// ClaimFacts.expires = validBefore + kAfterlife.
constexpr std::int64_t kAfterlife = 600;
constexpr unsigned kMaxExecutions = 3;
constexpr unsigned kMaxUnproven = 3;
constexpr unsigned kMaxWaiting = 32;
constexpr std::size_t kMaxSettleBytes = 16 * 1024;

}  // namespace x402

#endif
