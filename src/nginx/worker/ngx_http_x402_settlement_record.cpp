// SPDX-License-Identifier: Apache-2.0
// Where a settlement waits until something is recorded: on the disk (x402_zone
// sync=on), and then in the store (x402_store).
//
// What the answer to a settle means: for its claim and request, and in the
// books. The line in the ledger comes before the claim changes: a worker that
// is killed between the two leaves an outcome that is requested again, and one
// line too many, never one too few.
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/worker/ngx_http_x402_settlement.hpp"
#include "protocol/settlement_receipt.hpp"
#include "session/settle_event.hpp"

namespace x402 {

namespace {

struct Booked {
    SettlementOutcome outcome;
    LedgerEventKind kind;
};

Booked booked_as(PaymentEvent event, bool ever_unknown)
{
    switch (event) {
    case PaymentEvent::settle_paid:
        return {SettlementOutcome::paid, ever_unknown
                                             ? LedgerEventKind::resolved
                                             : LedgerEventKind::settled};
    case PaymentEvent::settle_unproven:
        return {SettlementOutcome::unproven, LedgerEventKind::unproven};
    case PaymentEvent::settle_refused:
        return {SettlementOutcome::refused, LedgerEventKind::refused};
    case PaymentEvent::settle_not_processed:
        return {SettlementOutcome::not_processed, LedgerEventKind::refused};
    case PaymentEvent::settle_waived:
        return {SettlementOutcome::waived, LedgerEventKind::refused};
    default:
        return {SettlementOutcome::unknown, LedgerEventKind::unknown};
    }
}

}  // namespace

// False: there is nothing to wait for.
bool Settlement::waits_for_record(StoreScript stage, Then then)
{
    stage_ = stage;
    then_ = then;
    if (worker_.sync && terms_.claim) {
        disk_.begin(*worker_.sync, on_disk, this);
        return true;
    }
    return waits_for_store();
}

void Settlement::on_disk(void *data, bool good)
{
    auto *settlement = static_cast<Settlement *>(data);
    bool waits = guarded(ngx_cycle->log, false,
                         [&] { return good && settlement->waits_for_store(); });
    if (!waits) {
        settlement->then_(*settlement, good);
    }
}

// Money: the claim as it is in the zone now, with what is asked for.
StoreOrder Settlement::store_order() const
{
    // Each payment comes here twice: its texts go into the memory of former
    // ones.
    static JournalRecord record;
    LockedClaims(worker_.zone)
        ->fill_record(terms_.claim, RecordPart::claim, record);
    StoreOrder order = terms_.hold->order(stage_, record);
    if (stage_ == StoreScript::settling) {
        order.settle = std::string_view(terms_.body);
    }
    return order;
}

bool Settlement::waits_for_store()
{
    if (!terms_.hold || terms_.hold->over()) {
        return false;
    }
    store_.begin(terms_.hold->store(), store_order(), on_store, this);
    return true;
}

// SETTLING: without the store's word nothing is sent. PAID: the money has
// moved, and the write is repeated until the store confirms it.
void Settlement::on_store(void *data, const StoreReply &reply)
{
    auto *settlement = static_cast<Settlement *>(data);
    bool good = reply.is(StoreVerdict::done);
    bool settling = settlement->stage_ == StoreScript::settling;
    bool lost = reply.is(StoreVerdict::lost);
    if (good) {
        settlement->terms_.hold->grant(settlement->store_.asked());
    }
    if (lost) {
        settlement->terms_.hold->end();
        settlement->elsewhere_ = !settling;
    }
    if (settling && !good) {
        settlement->in_doubt_ = reply.kind == StoreReply::Kind::doubtful;
        settlement->unrecorded_ =
            lost ? "another machine has taken the payment over"
                 : "the store of x402_store rejected it";
    }
    if (!settling && !good && !lost) {
        guarded(ngx_cycle->log, 0, [&] {
            settlement->terms_.hold->store().write_behind(
                settlement->store_order());
            return 0;
        });
    }
    settlement->then_(*settlement, good || (!settling && !lost));
}

// Money: a delivery without proof is one of few that the payer has on all
// machines together. True: the store is asked for it.
bool Settlement::waits_for_share(const SettleAnswer &answer)
{
    PaymentEvent event =
        settle_event(answer.verdict, {terms_.ever_unknown, terms_.was_verified,
                                      terms_.first_settle_sent});
    if (event != PaymentEvent::settle_unproven || !terms_.unproven_delivers
        || !terms_.hold || terms_.hold->over()) {
        return false;
    }
    // What cannot be asked is not delivered.
    has_share_ = false;
    share_in_doubt_ = true;
    StoreOrder order = terms_.hold->order(StoreScript::unproven);
    order.facts.payer = terms_.payer_digest;
    order.most_unproven = kMaxUnproven;
    answer_ = answer;
    stage_ = StoreScript::unproven;
    store_.begin(terms_.hold->store(), std::move(order), on_share, this);
    return true;
}

void Settlement::on_share(void *data, const StoreReply &reply)
{
    auto *settlement = static_cast<Settlement *>(data);
    settlement->has_share_ = reply.is(StoreVerdict::done);
    settlement->share_in_doubt_ = reply.kind != StoreReply::Kind::answered;
    settlement->finish(settlement->answer_);
}

void Settlement::write_again()
{
    if (!on_wire_ || !terms_.hold || terms_.hold->over() || store_.waits()) {
        return;
    }
    guarded(ngx_cycle->log, 0, [&] {
        StoreOrder order = store_order();
        order.settling = SettlingCall::repeated;
        terms_.hold->store().write_behind(std::move(order));
        return 0;
    });
}

void Settlement::change_store_claim(ClaimChange change)
{
    SharedStore::change_claim(worker_.zone, terms_.hold.get(), terms_.claim,
                              change);
}

// SETTLING is recorded, or cannot be.
void Settlement::send_recorded(bool good)
{
    bool sent = good && guarded(ngx_cycle->log, false, [&] {
                    send();
                    return true;
                });
    if (!sent) {
        out_of_memory_ = good;
        finish_later();
        return;
    }
    if (state_ == PaymentState::recording
        || state_ == PaymentState::recording_first) {
        report_step(step(state_, PaymentEvent::recorded));
    }
}

// The request takes a step, and the settlement goes on.
void Settlement::report_step(const PaymentStep &step)
{
    state_ = step.next;
    if (done_) {
        done_(data_, step, result_);
    }
}

// Money: PAID is recorded before content. If disk or store does not take it the
// money has moved all the same, and content is not kept back; what another
// machine has delivered, or is about to, is not delivered here.
bool Settlement::secures(const PaymentStep &paid)
{
    bool of_request = state_ == PaymentState::settling
                      || state_ == PaymentState::settling_first;
    if (!of_request || paid.claim != ClaimChange::paid) {
        return false;
    }
    auto then = [](Settlement &settlement, bool) { settlement.secured(); };
    bool waits = guarded(ngx_cycle->log, false, [&] {
        return waits_for_record(StoreScript::paid, then);
    });
    if (!waits) {
        return false;
    }
    report_step(recorded_first(result_.event, paid));
    return true;
}

void Settlement::secured()
{
    PaymentStep next = step(state_, elsewhere_ ? PaymentEvent::claim_lost
                                               : PaymentEvent::recorded);
    if (elsewhere_) {
        result_.delivered_elsewhere = true;
        change_store_claim(next.claim);
        log_line(NGX_LOG_NOTICE, log(),
                 "payment settled; another machine delivers the content");
    }
    end(next);
}

// The receipt moves out of the answer, which the books do without.
SettlementResult Settlement::interpret(SettleAnswer &answer)
{
    SettlementResult result;
    result.verdict = answer.verdict;
    result.reason = answer.reason;
    result.event =
        settle_event(answer.verdict, {terms_.ever_unknown, terms_.was_verified,
                                      terms_.first_settle_sent});
    if (result.event == PaymentEvent::settle_unproven) {
        decide_unproven(result);
    } else if (!terms_.ever_unknown
               || result.event == PaymentEvent::settle_paid) {
        result.receipt = std::move(answer.receipt);
    }
    if (terms_.waives_failure && !terms_.ever_unknown
        && result.event != PaymentEvent::settle_paid) {
        result.event = PaymentEvent::settle_waived;
    }
    return result;
}

// By the unproven rule, unless the operator or the payer's share says no, on
// this machine or on all of them together.
void Settlement::decide_unproven(SettlementResult &result)
{
    bool deliver =
        terms_.unproven_delivers && has_share_
        && LockedClaims(worker_.zone)
               ->count_unproven(terms_.payer_digest, kMaxUnproven, ngx_time());
    if (deliver) {
        result.receipt = settlement_receipt_json(true, terms_.payer, "",
                                                 terms_.receipt_network);
    } else {
        result.event = PaymentEvent::settle_unknown;
        result.unproven_refused = !share_in_doubt_;
    }
}

SettlementResult Settlement::result_of(SettleAnswer &answer)
{
    SettlementResult result = interpret(answer);
    result.unwritten = unwritten_.handler != nullptr;
    result.unwritten_in_doubt = in_doubt_;
    result.time = ngx_current_msec - started_;
    result.asked = &endpoint_->conf();
    result.body = std::move(answer_body_);
    return result;
}

void Settlement::book_outcome(const PaymentStep &step,
                              const SettlementResult &result,
                              const SettleAnswer &answer)
{
    const MoneyBooks &money = terms_.money;
    if (money.books == nullptr) {
        return;
    }
    Booked booked = booked_as(result.event, terms_.ever_unknown);
    if (StatusCounters *counters = endpoint_->counters()) {
        counters->count_settlement(endpoint_->row(), booked.outcome);
    }
    bool moved = booked.outcome == SettlementOutcome::paid
                 || booked.outcome == SettlementOutcome::unproven;
    if (moved) {
        book_revenue(money, terms_.amount);
    }
    bool owed = step.claim == ClaimChange::owed && terms_.claim;
    if (owed) {
        money.books->count(money.label, LabelCounter::owed);
    }
    // Content that left before it was settled: no request says that.
    bool delivered = step.claim == ClaimChange::delivered;
    if (delivered) {
        money.books->count(money.label, LabelCounter::delivered);
    }
    // An outcome that is still unknown was reported before.
    bool news = !terms_.ever_unknown || terms_.unrecorded || moved;
    bool booked_here =
        is_booked(*money.books, money.ledger, booked.kind)
        || is_booked(*money.books, money.ledger, LedgerEventKind::owed)
        || is_booked(*money.books, money.ledger, LedgerEventKind::delivered);
    if (booked_here && news) {
        std::string facilitator = endpoint_->conf().url.base();
        EventWords words;
        words.transaction = answer.transaction;
        words.facilitator = facilitator;
        words.settle_ms = result.time;
        words.reason = answer.reason.empty() && !moved
                           ? std::string_view(answer.detail)
                           : std::string_view(answer.reason);
        LedgerFacts facts = money.unpacked();
        write_event(*money.books, money.ledger, booked.kind, money.payment,
                    facts, words);
        if (owed || delivered) {
            write_event(*money.books, money.ledger,
                        owed ? LedgerEventKind::owed
                             : LedgerEventKind::delivered,
                        money.payment, facts, words);
        }
    }
    if (step.claim != ClaimChange::unknown && terms_.claim) {
        note_ ? money.books->erase_note_at(*note_, money.payment)
              : money.books->erase_note(money.payment);
    }
}

}  // namespace x402
