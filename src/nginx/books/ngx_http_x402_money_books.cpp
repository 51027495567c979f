// SPDX-License-Identifier: Apache-2.0
#include "nginx/books/ngx_http_x402_money_books.hpp"

#include <cstring>
#include <tuple>

#include "base/decimal_amount.hpp"
#include "base/hex_codec.hpp"

namespace x402 {

namespace {

std::int64_t now_ms()
{
    const ngx_time_t *now = ngx_timeofday();
    return static_cast<std::int64_t>(now->sec) * 1000 + now->msec;
}

// Of a payment that no line is written about: rows of the counters, for its
// label and for its money.
constexpr std::size_t kShortNote = 8;

void read_short_note(Books &books, std::string_view note, LedgerFacts &facts,
                     MoneyBooks &money)
{
    std::uint32_t label;
    StatusCounters *counters = books.counters();
    if (note.size() != kShortNote || counters == nullptr) {
        return;
    }
    std::memcpy(&label, note.data(), sizeof(label));
    std::memcpy(&money.series, &note[sizeof(label)], sizeof(money.series));
    std::tie(facts.server, facts.location) = counters->label_names(label);
    RevenueKey key = counters->revenue_key(money.series);
    facts.symbol = key.symbol;
    if (key.decimals != 255) {
        facts.decimals = key.decimals;
    }
}

}  // namespace

bool is_booked(const Books &books, const Ledger *ledger, LedgerEventKind kind)
{
    return ledger
           || (books.outbox()
               && books.outbox()->takes(static_cast<unsigned>(kind)));
}

void write_event(Books &books, Ledger *ledger, LedgerEventKind kind,
                 const Digest &payment, const LedgerFacts &facts,
                 const EventWords &words)
{
    if (!is_booked(books, ledger, kind)) {
        return;
    }
    LedgerEvent event;
    event.kind = kind;
    event.time_ms = now_ms();
    event.payment = payment;
    event.facts = facts;
    event.transaction = words.transaction;
    event.facilitator = words.facilitator;
    event.settle_ms = words.settle_ms;
    event.reason = words.reason;
    std::string line = ledger_line(event);
    if (ledger) {
        ledger->write(line);
    }
    if (is_booked(books, nullptr, kind)) {
        books.append_event(line);
    }
}

MoneyBooks books_from_note(Books &books, const Digest &payment,
                           const LedgerFacts &facts)
{
    MoneyBooks money;
    money.books = &books;
    money.payment = payment;
    money.facts = books.find_note(payment);
    LedgerFacts read;
    if (!unpack_facts(money.facts, read)) {
        read = facts;
        read_short_note(books, money.facts, read, money);
        money.facts = pack_facts(read);
    }
    money.label = books.find_label(read.server, read.location);
    money.ledger = books.ledger_of_label(money.label);
    // Money: of a payment that another machine began, or that is known from the
    // journal alone, no note says where it is booked: a line too many is better
    // than one too few.
    if (money.label == 0 && money.ledger == nullptr
        && !books.ledgers().empty()) {
        money.ledger = books.ledgers().front();
    }
    return money;
}

std::uint32_t keep_note(const MoneyBooks &money)
{
    if (!money.facts.empty()) {
        return money.books->put_note(money.payment, money.facts);
    }
    std::array<char, kShortNote> note;
    std::uint32_t label = money.books->row_of_label(money.label);
    std::memcpy(note.data(), &label, sizeof(label));
    std::memcpy(&note[sizeof(label)], &money.series, sizeof(money.series));
    return money.books->put_note(money.payment, {note.data(), note.size()});
}

void book_revenue(const MoneyBooks &money, std::string_view text)
{
    auto amount = atomic_amount_bytes(text);
    if (money.books == nullptr || !amount) {
        return;
    }
    if (money.series != StatusCounters::kOther) {
        money.books->count_revenue(money.series, *amount);
        return;
    }
    LedgerFacts facts = money.unpacked();
    if (facts.network.empty()) {
        return;
    }
    RevenueKey key;
    key.network = facts.network;
    key.asset = facts.asset;
    key.pay_to = facts.pay_to;
    key.symbol = facts.symbol;
    key.decimals = static_cast<std::uint8_t>(facts.decimals.value_or(255));
    money.books->count_revenue(money.label, key, *amount);
}

std::string short_id(const Digest &payment)
{
    return payment == Digest{} ? std::string() : hex_encode(payment.data(), 8);
}

}  // namespace x402
