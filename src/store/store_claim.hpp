// SPDX-License-Identifier: Apache-2.0
// A claim as the store has it: where it lies, and what is known of it there.
//
// Keys. All keys of one payer have one hash tag, one of 64, so that each script
// touches one slot of a cluster:
//
//   prefix:{n}:c:<claim>     the claim: StoredClaim
//   prefix:{n}:b:<claim>     its settle request, while the outcome is open
//   prefix:{n}:o:<of payer and resource>  claims that may be owed, or unknown
//   prefix:{n}:i:<identifier>             claim that has the name
//   prefix:{n}:u:<payer>     its unproven deliveries of the last 24 hours
//   prefix:{n}:s:<facilitator>  what it supports, as machines have heard it
//   prefix:{n}:p:<pass>      requests that it is still good for; q: its uses
//   prefix:{n}:n:<nonce>     that it was used to sign in
//   prefix:{n}:g:<purchase>  what its payer may come back for
//   prefix:{n}:due           claims to be asked about, by the store's clock
//
// Digests are hex in keys, so that the claim of $x402_payment_id can be found.
//
// Clocks. A lease is measured by the store's clock alone. How long a payment is
// valid is told as the seconds that are left by the caller's clock; so a store
// whose clock is wrong forgets no claim.
#ifndef X402_STORE_STORE_CLAIM_HPP
#define X402_STORE_STORE_CLAIM_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "session/claim.hpp"
#include "session/claim_journal.hpp"

namespace x402 {

constexpr unsigned kStoreShards = 64;

// 0 to 63. `payer` is ClaimFacts.payer, which is the claim key where a payment
// does not tell its payer; for a payment identifier PaymentName.payer.
unsigned store_shard(const Digest &payer);

// Names one taking of a claim: random, made for each TAKE, RESUME and
// TAKEOVER, and kept for a retry of that call. All that its owner does later
// carries it. Money: a token that is no longer the claim's sends nothing.
using StoreToken = std::array<std::uint8_t, 16>;

// Which claim, and in whose name.
struct StoreClaim {
    std::string_view prefix;  // of all keys; at most kMaxStorePrefix bytes
    unsigned shard = 0;
    Digest key{};
    StoreToken token{};
};
constexpr std::size_t kMaxStorePrefix = 64;

// The claim as its caller knows it. Lifetime: views are borrowed for the call.
struct StoreFacts {
    Digest payer{};
    Digest resource{};  // ClaimBinding.resource
    // ClaimFacts.expires, and the caller's clock; unix seconds. With
    // kNeverExpires the claim stays until an operator takes it away.
    std::int64_t expires = 0;
    std::int64_t now = 0;
    std::uint8_t flags = 0;  // ClaimFlag; what is local alone is left out
    unsigned executions = 0;
    std::string_view record;  // store_record(); opaque to the store
    // The settle request; empty: it is not kept, or the store has it already.
    std::string_view settle;
    // The payment has this name (PaymentName.id) and its shard is the claim's;
    // nullptr: it has none, or it is kept by calls of their own (StoreName).
    const Digest *name = nullptr;
};

// A claim in an answer. Lifetime: views are of the reply that was read.
struct StoredClaim {
    ClaimState state = ClaimState::free;  // free: the store knows nothing
    Digest key{};
    StoreToken token{};  // of its last owner
    std::uint8_t flags = 0;
    unsigned executions = 0;
    unsigned tries = 0;           // times that its outcome was found unknown
    std::int64_t expires = 0;     // unix seconds; while VERIFYING it is unknown
    std::int64_t lease_left = 0;  // ms; 0: without an owner
    // The store's own copy of StoreFacts.record: empty while VERIFYING, and
    // once nothing can become of the claim any more.
    std::string_view record;

    bool in_use() const { return lease_left > 0; }
};

// What the store keeps as StoreFacts.record: the claim as the journal has it,
// without its settle request and without a check of its bytes. The store keeps
// or loses a string as a whole, and the key in it is the claim's.
std::string store_record(const JournalRecord &claim);
// The same into `out`, in the place of what is in it.
void write_store_record(const JournalRecord &claim, std::string &out);
// The claim as a record that ClaimReplay restores: the store's own knowledge
// (state, flags, executions) goes before what is in the record. False: it has
// no record, or one that cannot be read.
bool restored_record(const StoredClaim &claim, std::string_view settle,
                     JournalRecord &record);

// The bytes that a script keeps of a claim, as src/store/lua/common.lua writes
// them. `now`: the store's clock, ms. False: they are another layout's.
bool read_stored_claim(std::string_view bytes, std::int64_t now,
                       StoredClaim &claim);

}  // namespace x402

#endif
