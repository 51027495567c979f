// What an answer to settle comes to for this claim and its request.
#include "nginx/worker/ngx_http_x402_settlement.hpp"
#include "protocol/settlement_receipt.hpp"

namespace x402 {

// A claim that was ever unknown: no refusal counts, only proof of payment or
// the unproven rule ends it.
SettlementResult Settlement::interpret_again(const SettleAnswer &answer)
{
    SettlementResult result;
    result.verdict = answer.verdict;
    result.reason = answer.reason;
    if (answer.verdict == SettleVerdict::paid) {
        result.event = PaymentEvent::settle_paid;
        result.receipt = answer.receipt;
        return result;
    }
    bool unproven = answer.verdict == SettleVerdict::nonce_used
                    && terms_.was_verified && terms_.first_settle_sent;
    if (!unproven) {
        return result;
    }
    bool deliver =
        terms_.unproven_delivers
        && LockedClaims(worker_.zone)
               ->count_unproven(terms_.payer_digest, kMaxUnproven, ngx_time());
    if (deliver) {
        result.event = PaymentEvent::settle_unproven;
        result.receipt = settlement_receipt_json(true, terms_.payer, "",
                                                 terms_.receipt_network);
    } else {
        result.unproven_refused = true;
    }
    return result;
}

SettlementResult Settlement::interpret(const SettleAnswer &answer)
{
    if (terms_.ever_unknown) {
        return interpret_again(answer);
    }
    SettlementResult result;
    result.verdict = answer.verdict;
    result.reason = answer.reason;
    result.receipt = answer.receipt;
    switch (answer.verdict) {
    case SettleVerdict::paid:
        result.event = PaymentEvent::settle_paid;
        break;
    case SettleVerdict::refused:
    case SettleVerdict::nonce_used:
        result.event = PaymentEvent::settle_refused;
        break;
    case SettleVerdict::operator_fault:
    case SettleVerdict::rate_limited:
    case SettleVerdict::not_sent:
        result.event = PaymentEvent::settle_not_processed;
        break;
    case SettleVerdict::pending:
    case SettleVerdict::unknown:
        result.event = PaymentEvent::settle_unknown;
        break;
    }
    if (terms_.waives_failure && result.event != PaymentEvent::settle_paid) {
        result.event = PaymentEvent::settle_waived;
    }
    return result;
}

SettlementResult Settlement::result_of(const SettleAnswer &answer)
{
    SettlementResult result = interpret(answer);
    result.unwritten = unwritten_.handler != nullptr;
    result.transaction = answer.transaction;
    result.time = ngx_current_msec - started_;
    result.asked = &endpoint_->conf();
    result.body = std::move(answer_body_);
    return result;
}

}  // namespace x402
