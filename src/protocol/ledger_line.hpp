// SPDX-License-Identifier: Apache-2.0
// A line of the ledger: what happened to the money of one payment, as JSON. All
// lines have the same members; what is not known is null.
#ifndef X402_PROTOCOL_LEDGER_LINE_HPP
#define X402_PROTOCOL_LEDGER_LINE_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/sha256_digest.hpp"

namespace x402 {

enum class LedgerEventKind : std::uint8_t {
    settled,      // money moved
    refused,      // it did not, and will not under this settlement
    unknown,      // it may have
    resolved,     // what was unknown is proven to have moved
    unproven,     // what was unknown is delivered on the unproven rule
    owed,         // charged, and the content did not arrive
    delivered,    // the content arrived
    redelivered,  // content that was charged earlier arrived
    closed,  // what was unknown can no longer be used, and was never learned
    would_challenge,  // x402 shadow: what would have happened
    would_refuse,
    would_charge,
    returned,  // content left for what was bought before: pass, or signature
};
constexpr std::size_t kLedgerEvents = 13;
// What each line begins with.
constexpr char kLedgerLineBegin[] = "{\"time\":";
const char *ledger_event_name(LedgerEventKind kind);
// nullopt: there is no event of that name.
std::optional<LedgerEventKind> ledger_event_named(std::string_view name);

// What a payment is about, as known when its settlement begins. Lifetime: views
// for the call.
struct LedgerFacts {
    std::string_view request_id;
    std::string_view server;
    std::string_view location;
    std::string_view method;
    std::string_view resource;  // URL
    std::string_view payer;
    std::string_view pay_to;
    std::string_view network;  // CAIP-2
    std::string_view asset;
    std::string_view symbol;
    std::string_view amount;           // atomic units
    std::optional<unsigned> decimals;  // of the asset
    std::string_view scheme;
    unsigned version = 0;                    // of x402; 0: not known
    std::optional<std::uint64_t> verify_ms;  // how long verify took
};

// The facts as bytes: what is kept beside a claim for the events that come
// without their request. Texts that are too long are cut, the URL first.
constexpr std::size_t kLongestPackedFacts = 960;
std::string pack_facts(const LedgerFacts &facts);
// Lifetime: the views are into `bytes`. False: these are not such bytes.
bool unpack_facts(std::string_view bytes, LedgerFacts &facts);

struct LedgerEvent {
    LedgerEventKind kind = LedgerEventKind::unknown;
    std::int64_t time_ms = 0;  // unix
    // The claim key; zeros: the payment has none (a token), or there is none.
    Digest payment{};
    LedgerFacts facts;
    std::string_view transaction;
    std::string_view facilitator;
    std::optional<std::uint64_t> settle_ms;
    std::string_view reason;
};

// With the newline at its end, and none before.
std::string ledger_line(const LedgerEvent &event);

}  // namespace x402

#endif
