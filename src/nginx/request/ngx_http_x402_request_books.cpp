// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_request_books.hpp"

#include <cstddef>

#include "base/json_document.hpp"
#include "nginx/core/ngx_http_x402_random_pool.hpp"
#include "nginx/request/ngx_http_x402_quote.hpp"
#include "nginx/request/ngx_http_x402_returning_client.hpp"
#include "policy/asset_table.hpp"

namespace x402 {

namespace {

// nginx: a value that is there is not made again.
void make(ngx_http_request_t *r, ngx_http_variable_value_t &value)
{
    static RandomPool pool;
    constexpr std::size_t kDigits = 2 * RandomPool::kPiece;
    auto *text = static_cast<u_char *>(ngx_pnalloc(r->pool, kDigits));
    u_char *bytes = text ? pool.take() : nullptr;
    if (bytes == nullptr) {
        return;
    }
    ngx_hex_dump(text, bytes, RandomPool::kPiece);
    value.data = text;
    value.len = kDigits;
    value.valid = 1;
    value.no_cacheable = 0;
    value.not_found = 0;
}

}  // namespace

std::string_view request_id(ngx_http_request_t *r, ngx_uint_t index)
{
    ngx_http_variable_value_t &value = r->variables[index];
    // nginx: a variable is made in the request's pool, which is gone when the
    // request ends; what was made before stays readable.
    if (!value.valid && !value.not_found && r->pool) {
        make(r, value);
    }
    return value.valid ? std::string_view(
               reinterpret_cast<const char *>(value.data), value.len)
                       : std::string_view();
}

namespace {

Books *books_of(const RequestCtx &ctx)
{
    return main_conf(ctx.r)->books;
}

ngx_uint_t label_of(const RequestCtx &ctx)
{
    return ctx.quote.conf ? ctx.quote.conf->label_number : ctx.label_number;
}

// Only where a ledger is written.
std::string_view id_for_ledger(const RequestCtx &ctx, const Books &books)
{
    return books.request_id == NGX_ERROR
               ? std::string_view()
               : request_id(ctx.r, static_cast<ngx_uint_t>(books.request_id));
}

void fill_option(LedgerFacts &facts, const PaymentRequirements &option)
{
    facts.pay_to = option.pay_to;
    facts.network = option.network;
    facts.asset = option.plan.empty() ? option.asset : option.plan;
    facts.amount = option.amount;
    facts.scheme = option.scheme;
}

void fill_payment(LedgerFacts &facts, const Payment &payment)
{
    facts.payer = payment.payer;
    facts.pay_to = payment.pay_to;
    facts.network = payment.network;
    facts.asset = payment.asset;
    facts.amount = payment.amount;
    facts.scheme = payment.option
                       ? std::string_view(payment.option->requirements.scheme)
                       : payment.payload.scheme();
    facts.version = static_cast<unsigned>(payment.payload.version);
}

// The option that is paid, else the first that is offered; nullptr: none.
const PaymentRequirements *option_of(const RequestCtx &ctx)
{
    if (ctx.payment && ctx.payment->option) {
        return &ctx.payment->option->requirements;
    }
    bool asked = !ctx.payment || ctx.shadow;  // what would be paid instead
    return asked && ctx.quote.offer && !ctx.quote.offer->options().empty()
               ? &ctx.quote.offer->options().front().requirements
               : nullptr;
}

void write_event(const RequestCtx &ctx, LedgerEventKind kind)
{
    if (ctx.quote.conf == nullptr) {
        return;
    }
    Books &books = *books_of(ctx);
    Ledger *ledger = ledger_of(*ctx.quote.conf, books);
    if (!is_booked(books, ledger, kind)) {
        return;
    }
    std::string transaction = ctx.trace.transaction;
    if (transaction.empty() && !ctx.receipt.empty()) {
        // The event is about content that was paid for earlier.
        if (auto receipt = JsonDocument::parse(ctx.receipt)) {
            transaction = std::string(receipt->root()["transaction"].string());
        }
    }
    std::string facilitator = ctx.asked ? ctx.asked->url.base() : "";
    EventWords words;
    words.transaction = transaction;
    words.facilitator = facilitator;
    words.settle_ms = ctx.trace.settle_time;
    words.reason = ctx.trace.reason;
    write_event(books, ledger, kind, ctx.payment->facts.key, facts_of(ctx),
                words);
}

}  // namespace

LedgerFacts facts_of(const RequestCtx &ctx)
{
    const Books &books = *books_of(ctx);
    const auto &label = books.label(label_of(ctx));
    LedgerFacts facts;
    facts.request_id = id_for_ledger(ctx, books);
    facts.server = label.first;
    facts.location = label.second;
    facts.method = view(ctx.r->method_name);
    facts.resource = ctx.quote.resource_url;
    const PaymentRequirements *option = option_of(ctx);
    if (ctx.payment) {
        fill_payment(facts, *ctx.payment);
    }
    if (option && facts.amount.empty()) {
        fill_option(facts, *option);
    }
    if (const Asset *asset =
            find_asset_by_address(facts.network, facts.asset)) {
        facts.symbol = asset->symbol;
        facts.decimals = asset->decimals;
    } else if (option && option->decimals) {
        facts.decimals = *option->decimals;
    }
    facts.verify_ms = ctx.trace.verify_time;
    return facts;
}

MoneyBooks shadow_books(const RequestCtx &ctx)
{
    MoneyBooks money;
    money.books = books_of(ctx);
    money.ledger = ledger_of(*ctx.shadow, *money.books);
    money.label = label_of(ctx);
    if (ctx.payment) {
        money.payment = ctx.payment->facts.key;
    }
    return money;
}

MoneyBooks money_books(const RequestCtx &ctx)
{
    MoneyBooks money;
    money.books = books_of(ctx);
    money.ledger = ledger_of(*ctx.quote.conf, *money.books);
    money.label = label_of(ctx);
    const Payment &payment = *ctx.payment;
    money.payment = payment.facts.key;
    RevenueKey key;
    key.network = payment.network;
    key.asset = payment.asset;
    key.pay_to = payment.pay_to;
    if (!payment.amount.empty()) {
        money.series = money.books->series_of(money.label, key);
    }
    if (money.series == StatusCounters::kOther || money.ledger
        || money.books->outbox()) {
        money.facts = pack_facts(facts_of(ctx));
    }
    return money;
}

void prepare_books(const RequestCtx &ctx)
{
    id_for_ledger(ctx, *books_of(ctx));
}

void book_delivery(const RequestCtx &ctx)
{
    bool again = ctx.payment && ctx.payment->resumed;
    books_of(ctx)->count(label_of(ctx), again ? LabelCounter::redelivered
                                              : LabelCounter::delivered);
    if (ctx.payment) {
        write_event(ctx, again ? LedgerEventKind::redelivered
                               : LedgerEventKind::delivered);
    }
}

void book_owed(const RequestCtx &ctx)
{
    books_of(ctx)->count(label_of(ctx), LabelCounter::owed);
    write_event(ctx, LedgerEventKind::owed);
}

namespace {

// Content left, and nothing was paid for it this time.
void book_return(const RequestCtx &ctx, Books &books, Ledger *ledger)
{
    RequestOutcome outcome = outcome_of(outcome_facts(ctx));
    bool by_pass = outcome == RequestOutcome::pass;
    ngx_uint_t status = ctx.r->headers_out.status;
    if (!(by_pass || outcome == RequestOutcome::signed_in)
        || status < NGX_HTTP_OK || status >= NGX_HTTP_BAD_REQUEST) {
        return;
    }
    std::string resource = request_origin(ctx.r) + copy(ctx.r->unparsed_uri);
    LedgerFacts facts = facts_of(ctx);
    facts.resource = resource;
    facts.payer = ctx.returning->payer;
    EventWords words;
    words.reason = by_pass ? "pass" : "sign_in";
    write_event(books, ledger, LedgerEventKind::returned, Digest{}, facts,
                words);
}

// Lifetime: made after ReturningClient in the request's pool, so that it ends
// before it, and before the context.
struct ReturnBook {
    ReturnBook(const RequestCtx &of, Books &into, Ledger *lines)
        : ctx(of), books(into), ledger(lines)
    {
    }
    ~ReturnBook()
    {
        guarded(ngx_cycle->log, 0, [&] {
            book_return(ctx, books, ledger);
            return 0;
        });
    }
    ReturnBook(const ReturnBook &) = delete;
    ReturnBook &operator=(const ReturnBook &) = delete;

    const RequestCtx &ctx;
    Books &books;
    Ledger *ledger;
};

}  // namespace

bool book_return_at_end(RequestCtx &ctx, const LocationConf &conf)
{
    Books &books = *books_of(ctx);
    Ledger *ledger = ledger_of(conf, books);
    if (!is_booked(books, ledger, LedgerEventKind::returned)) {
        return true;
    }
    prepare_books(ctx);
    return pool_new<ReturnBook>(ctx.r->pool, ctx, books, ledger) != nullptr;
}

void book_request_end(const RequestCtx &ctx)
{
    if (ctx.shadow) {
        return;  // booked as such
    }
    Books &books = *books_of(ctx);
    ngx_uint_t label = label_of(ctx);
    // Most requests are challenged: the result of outcome_of() without its
    // work.
    bool challenged =
        ctx.trace.reply == ReplyKind::challenge && ctx.receipt.empty();
    RequestOutcome outcome = challenged ? RequestOutcome::challenged
                                        : outcome_of(outcome_facts(ctx));
    if (outcome == RequestOutcome::undecided) {
        return;
    }
    static_assert(static_cast<int>(RequestOutcome::failed)
                      == static_cast<int>(LabelCounter::failed) + 1
                  && static_cast<int>(RequestOutcome::free)
                         == static_cast<int>(LabelCounter::free) + 1);
    books.count(label,
                static_cast<LabelCounter>(static_cast<unsigned>(outcome) - 1));
    if (ctx.payment) {
        books.count(label, LabelCounter::presented);
        if (ctx.payment->payer_known) {
            books.count(label, LabelCounter::valid);
        }
    }
    if (ctx.trace.reply != ReplyKind::none
        && ctx.trace.reply != ReplyKind::challenge) {
        books.count(label, refusal_label(ctx.trace.reason));
    }
}

OutcomeFacts outcome_facts(const RequestCtx &ctx)
{
    OutcomeFacts facts;
    if (ctx.shadow) {
        return facts;  // nothing became of it
    }
    facts.state = ctx.state();
    facts.reply = ctx.trace.reply;
    facts.money_moved = !ctx.receipt.empty() && !ctx.never_settled;
    facts.never_settled = ctx.never_settled;
    facts.accepted = ctx.accepted;
    facts.let_in = ctx.trace.let_in;
    facts.pass = ctx.returning && ctx.returning->kind == ReturningKind::pass;
    facts.signed_in =
        ctx.returning && ctx.returning->kind == ReturningKind::signed_in;
    for (const auto &[conf, bypassed] : ctx.bypasses) {
        facts.bypassed = facts.bypassed || bypassed;
    }
    return facts;
}

}  // namespace x402
