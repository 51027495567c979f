// SPDX-License-Identifier: Apache-2.0
#include "nginx/worker/ngx_http_x402_settle_retry.hpp"

#include <algorithm>

#include "facilitator/settle_request.hpp"
#include "nginx/books/ngx_http_x402_money_books.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/worker/ngx_http_x402_store_watch.hpp"
#include "policy/asset_table.hpp"

namespace x402 {

namespace {

constexpr ngx_msec_t kInterval = 1000;

// What is known of a payment whose note is gone.
LedgerFacts facts_of(const ClaimTexts &texts, const SettleRequest &request)
{
    LedgerFacts facts;
    facts.network = texts.network;
    facts.payer = texts.payer;
    facts.asset = texts.asset;
    facts.amount = texts.amount;
    facts.pay_to = request.pay_to;
    facts.scheme = request.scheme;
    facts.resource = request.resource;
    facts.version = request.version;
    if (const Asset *asset =
            find_asset_by_address(texts.network, texts.asset)) {
        facts.symbol = asset->symbol;
        facts.decimals = asset->decimals;
    }
    return facts;
}

void log_closed(const ClaimTexts &texts, const Digest &payment)
{
    LedgerEntry entry{};
    std::string id = short_id(payment);
    entry.id = id;
    entry.event = "closed: outcome never learned";
    entry.network = texts.network;
    entry.payer = texts.payer;
    entry.amount = texts.amount;
    entry.asset = texts.asset;
    log_ledger(ngx_cycle->log, entry);
}

}  // namespace

SettleRetry::SettleRetry(Worker &worker, const LocationConf &http_conf)
    : worker_(worker),
      // nginx does not merge the http level itself.
      connect_timeout_(http_conf.connect_timeout),
      settle_timeout_(http_conf.settle_timeout),
      timer_(
          AtQuit::cancel,
          [](void *watch) { static_cast<SettleRetry *>(watch)->tick(); }, this)
{
    ngx_conf_init_msec_value(connect_timeout_, kDefaultConnectTimeout);
    ngx_conf_init_msec_value(settle_timeout_, kDefaultSettleTimeout);
    ngx_uint_t slots = http_conf.max_calls;
    ngx_conf_init_uint_value(slots, kDefaultMaxCalls);
    // Half of the reserved slots; clients that present payments have the rest.
    most_ = std::max<ngx_uint_t>(slots / 16, 1);
    timer_.arm(kInterval);
}

void SettleRetry::on_settled(void *data, const PaymentStep &,
                             SettlementResult &)
{
    static_cast<SettleRetry *>(data)->on_wire_--;
}

bool SettleRetry::has_room() const
{
    return on_wire_ + (watch_ ? watch_->running() : 0) < most_;
}

// False: the claim stays in the hands of this worker.
bool SettleRetry::begin(const DueClaim &due)
{
    bool closed = due.kind == DueClaim::Kind::closed;
    if (watch_ && closed) {
        watch_->close(due.ref);
    } else if (watch_) {
        watch_->take(due.ref);
    } else if (closed) {
        close(due.ref);
    } else {
        return ask(due.ref);
    }
    return true;
}

void SettleRetry::tick()
{
    if (ngx_exiting || ngx_quit || ngx_terminate) {
        return;  // another worker continues
    }
    timer_.arm(kInterval);
    while (has_room()) {
        DueClaim due =
            LockedClaims(worker_.zone)->next_due(worker_.owner, ngx_time());
        if (due.kind == DueClaim::Kind::nothing) {
            return;
        }
        // Money: what memory is refused for is asked again another time, by
        // the worker that gets the claim then.
        bool taken = guarded(ngx_cycle->log, false, [&] { return begin(due); });
        if (!taken && due.kind != DueClaim::Kind::closed) {
            LockedClaims(worker_.zone)->set_unknown(due.ref, ngx_time());
        }
    }
}

void SettleRetry::close(ClaimRef claim)
{
    ClaimTexts texts;
    Digest payment;
    std::string body;
    {
        LockedClaims claims(worker_.zone);
        texts = claims->texts(claim);
        payment = claims->view(claim).key;
        body = claims->stored_settle(claim);
    }
    log_closed(texts, payment);
    MoneyBooks money = books_from_note(
        worker_.books, payment,
        facts_of(texts, read_settle_request(body).value_or(SettleRequest())));
    EventWords words;
    words.reason = "outcome never learned";
    write_event(worker_.books, money.ledger, LedgerEventKind::closed, payment,
                money.unpacked(), words);
    worker_.books.erase_note(payment);
}

// False: it cannot be asked here; this worker still owns the claim.
bool SettleRetry::ask(ClaimRef claim, std::shared_ptr<StoreHold> hold)
{
    SettlementTerms terms;
    std::uint64_t facilitator;
    Digest payment;
    ClaimTexts texts;
    PaymentState state = PaymentState::orphaned;
    {
        LockedClaims claims(worker_.zone);
        ClaimView view = claims->view(claim);
        facilitator = view.facilitator;
        state = view.streamed ? PaymentState::charging : state;
        payment = view.key;
        terms.unrecorded = view.abandoned;
        terms.body = claims->stored_settle(claim);
        texts = claims->texts(claim);
    }
    Endpoint *endpoint = worker_.endpoint_by_id(facilitator, nullptr);
    auto request = read_settle_request(terms.body);
    if (endpoint == nullptr || !request) {
        return false;
    }
    terms.claim = claim;
    terms.hold = std::move(hold);
    terms.money =
        books_from_note(worker_.books, payment, facts_of(texts, *request));
    terms.payer = std::move(texts.payer);
    terms.network = std::move(request->network);
    terms.receipt_network = std::move(request->receipt_network);
    terms.amount = std::move(request->amount);
    terms.asset = std::move(request->asset);
    terms.at_most = request->at_most;
    terms.ever_unknown = true;
    // The unproven rule is for clients that ask for their content.
    terms.unproven_delivers = false;
    terms.connect_timeout = connect_timeout_;
    terms.timeout = settle_timeout_;
    terms.log = ngx_cycle->log;
    Settlement::start(worker_, *endpoint, std::move(terms), state,
                      Slot(worker_), on_settled, this);
    on_wire_++;
    return true;
}

}  // namespace x402
