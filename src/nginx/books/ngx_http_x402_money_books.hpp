// SPDX-License-Identifier: Apache-2.0
// One payment in the books: counters, revenue, ledger, and the note that is
// kept beside its claim until its outcome is known.
#ifndef NGX_HTTP_X402_MONEY_BOOKS_HPP
#define NGX_HTTP_X402_MONEY_BOOKS_HPP

#include <array>
#include <optional>
#include <string>

#include "nginx/books/ngx_http_x402_ledger.hpp"
#include "protocol/ledger_line.hpp"

namespace x402 {

// What a settlement needs to book its outcome, also without its request.
struct MoneyBooks {
    Books *books = nullptr;    // nullptr: nothing is booked
    Ledger *ledger = nullptr;  // nullptr: nowhere
    ngx_uint_t label = 0;
    Digest payment{};  // the claim key; zeros: a token
    // Where its money is counted; kOther: the first of its kind.
    std::uint32_t series = StatusCounters::kOther;
    // As pack_facts() makes them; empty: there is a series, and nothing is
    // written about the payment.
    std::string facts;

    // Empty ones if nothing is written about it.
    LedgerFacts unpacked() const
    {
        LedgerFacts read;
        return unpack_facts(facts, read) ? read : LedgerFacts();
    }
};

// What an event has after its kind; empty members are null in the line.
struct EventWords {
    std::string_view transaction = {};
    std::string_view facilitator = {};
    std::optional<std::uint64_t> settle_ms = {};
    std::string_view reason = {};
};

// Whether anything becomes of such an event: a ledger, or a webhook.
bool is_booked(const Books &books, const Ledger *ledger, LedgerEventKind kind);

// One line, into the ledger and for the webhook.
void write_event(Books &books, Ledger *ledger, LedgerEventKind kind,
                 const Digest &payment, const LedgerFacts &facts,
                 const EventWords &words);

// The books of a payment that a claim remembers, from its note; without one
// from `facts`.
MoneyBooks books_from_note(Books &books, const Digest &payment,
                           const LedgerFacts &facts);

// Counts money that moved, in atomic units.
void book_revenue(const MoneyBooks &money, std::string_view amount);

// Beside the claim, while the outcome is open. Returns its place.
std::uint32_t keep_note(const MoneyBooks &money);

// The first 16 hexadecimal digits of a payment's id, for the error log; empty:
// a token.
std::string short_id(const Digest &payment);

}  // namespace x402

#endif
