// SPDX-License-Identifier: Apache-2.0
#include "nginx/books/ngx_http_x402_money_books.hpp"

#include "base/decimal_amount.hpp"
#include "base/hex_codec.hpp"

namespace x402 {

namespace {

std::int64_t now_ms()
{
    const ngx_time_t *now = ngx_timeofday();
    return static_cast<std::int64_t>(now->sec) * 1000 + now->msec;
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
        money.facts = pack_facts(facts);
        read = facts;
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

void book_revenue(const MoneyBooks &money)
{
    LedgerFacts facts = money.unpacked();
    auto amount = atomic_amount_bytes(facts.amount);
    if (money.books == nullptr || !amount || facts.network.empty()) {
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
