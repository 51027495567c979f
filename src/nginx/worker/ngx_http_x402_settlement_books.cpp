// How the outcome of a settlement is booked. The line in the ledger comes
// before the claim changes: a worker that is killed between the two leaves an
// outcome that is asked for again, and a line more, never one less.
#include "nginx/worker/ngx_http_x402_settlement.hpp"

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
    // An answer that is still unknown was told before.
    bool news = !terms_.ever_unknown || moved;
    if (money.ledger && news) {
        std::string facilitator = endpoint_->conf().url.base();
        EventWords words;
        words.transaction = answer.transaction;
        words.facilitator = facilitator;
        words.settle_ms = result.time;
        words.reason = answer.reason.empty() && !moved
                           ? std::string_view(answer.detail)
                           : std::string_view(answer.reason);
        LedgerFacts facts = money.unpacked();
        write_event(money.ledger, booked.kind, money.payment, facts, words);
        if (owed) {
            write_event(money.ledger, LedgerEventKind::owed, money.payment,
                        facts, words);
        }
    }
    if (step.claim != ClaimChange::unknown && terms_.claim) {
        money.books->erase_note(money.payment);
    }
}

}  // namespace x402
