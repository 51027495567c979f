// SPDX-License-Identifier: Apache-2.0
#include "nginx/books/ngx_http_x402_money_books.hpp"

#include <algorithm>
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

namespace {

// In front of each note: the ledger that the payment is booked in; 0: none.
using LedgerTag = std::uint64_t;

std::optional<LedgerTag> take_tag(std::string &note)
{
    LedgerTag tag;
    if (note.size() < sizeof(tag)) {
        return std::nullopt;
    }
    std::memcpy(&tag, note.data(), sizeof(tag));
    note.erase(0, sizeof(tag));
    return tag;
}

// Money: a line too many is better than one too few, except where x402_ledger
// is known to be off.
Ledger *ledger_of_note(Books &books, std::optional<LedgerTag> tag,
                       ngx_uint_t label, std::string_view resource)
{
    if (tag && *tag != 0) {
        for (Ledger *ledger : books.ledgers()) {
            if (ledger->tag() == *tag) {
                return ledger;
            }
        }
    } else if (tag) {
        // A reload may have turned it on.
        return books.places().of_label(label).value_or(nullptr);
    }
    // Of a payment that another machine began, or that is known from the
    // journal alone, no note was kept.
    if (auto ledger = books.places().of_resource(resource)) {
        return *ledger;
    }
    return books.default_ledger()    ? books.default_ledger()
           : books.ledgers().empty() ? nullptr
                                     : books.ledgers().front();
}

}  // namespace

MoneyBooks books_from_note(Books &books, const Digest &payment,
                           const LedgerFacts &facts)
{
    MoneyBooks money;
    money.books = &books;
    money.payment = payment;
    money.facts = books.find_note(payment);
    std::optional<LedgerTag> tag = take_tag(money.facts);
    LedgerFacts read;
    if (!unpack_facts(money.facts, read)) {
        read = facts;
        read_short_note(books, money.facts, read, money);
        money.facts = pack_facts(read);
    }
    money.label = books.find_label(read.server, read.location);
    money.ledger = ledger_of_note(books, tag, money.label, read.resource);
    return money;
}

std::uint32_t keep_note(const MoneyBooks &money)
{
    LedgerTag tag = money.ledger ? money.ledger->tag() : 0;
    static_assert(sizeof(tag) + kLongestPackedFacts <= PaymentNotes::kLongest);
    std::array<char, sizeof(tag) + kLongestPackedFacts> note;
    char *rest = note.data() + sizeof(tag);
    std::size_t size = std::min(money.facts.size(), kLongestPackedFacts);
    std::memcpy(note.data(), &tag, sizeof(tag));
    std::memcpy(rest, money.facts.data(), size);
    if (money.facts.empty()) {
        std::uint32_t label = money.books->row_of_label(money.label);
        std::memcpy(rest, &label, sizeof(label));
        std::memcpy(rest + sizeof(label), &money.series, sizeof(money.series));
        size = kShortNote;
    }
    return money.books->put_note(money.payment,
                                 {note.data(), sizeof(tag) + size});
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
