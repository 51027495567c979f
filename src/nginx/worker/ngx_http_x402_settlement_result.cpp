// SPDX-License-Identifier: Apache-2.0
// What the answer to a settle means: for its claim and request, and in the
// books. The line in the ledger comes before the claim changes: a worker that
// is killed between the two leaves an outcome that is requested again, and one
// line too many, never one too few.
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

void Settlement::keep_note() const
{
    const MoneyBooks &money = terms_.money;
    if (money.books && terms_.claim) {
        money.books->put_note(money.payment, money.facts);
    }
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
        book_revenue(money);
    }
    bool owed = step.claim == ClaimChange::owed && terms_.claim;
    if (owed) {
        money.books->count(money.label, LabelCounter::owed);
    }
    // An outcome that is still unknown was reported before.
    bool news = !terms_.ever_unknown || terms_.untold || moved;
    bool told = is_booked(*money.books, money.ledger, booked.kind)
                || is_booked(*money.books, money.ledger, LedgerEventKind::owed);
    if (told && news) {
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
        if (owed) {
            write_event(*money.books, money.ledger, LedgerEventKind::owed,
                        money.payment, facts, words);
        }
    }
    if (step.claim != ClaimChange::unknown && terms_.claim) {
        money.books->erase_note(money.payment);
    }
}

}  // namespace x402
