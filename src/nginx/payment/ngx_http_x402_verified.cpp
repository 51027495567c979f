#include "nginx/payment/ngx_http_x402_verified.hpp"

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/payment/ngx_http_x402_payer_claims.hpp"
#include "nginx/payment/ngx_http_x402_payment.hpp"
#include "nginx/reply/ngx_http_x402_notify.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"

namespace x402 {

namespace {

// Nobody settles here: the facilitator's word is all there will be.
void accept_for_good(RequestCtx &ctx, Worker &worker)
{
    const Payment &payment = *ctx.payment;
    std::string receipt = ctx.dialect->receipt_of_verified(
        payment.payer, payment.receipt_network);
    bool recorded;
    {
        LockedClaims claims(worker.zone);
        claims->set_paid(payment.claim, receipt, ngx_time());
        recorded = !claims->journal_failed();
    }
    if (!recorded) {
        // Money: after a restart the payment would buy once more.
        advance(ctx, PaymentEvent::verify_failed);
        ctx.answer = busy_answer(5);
        cap_retry(ctx);
        return;
    }
    ctx.receipt = std::move(receipt);
    ctx.settled_first = true;
    ctx.never_settled = true;
    log_ledger(ctx.r->connection->log, {"verified, not settled",
                                        payment.network,
                                        payment.payer,
                                        payment.amount,
                                        payment.asset,
                                        {},
                                        {},
                                        ctx.resource_url});
    advance(ctx, PaymentEvent::verify_final);
}

}  // namespace

bool is_distrusted(const RequestCtx &ctx, Worker &worker)
{
    return ctx.payment->settles == SettleTime::after
           && !ctx.payment->scheme.upto
           && LockedClaims(worker.zone)
                  ->settles_first(ctx.payment->facts.payer, ngx_time());
}

void accept_valid_payment(RequestCtx &ctx)
{
    Worker &worker = *worker_of(main_conf(ctx.r));
    ctx.slot.prove();
    if (ctx.payment->disputed_claim) {
        settle_disputed_claim(ctx, worker);
        return;
    }
    if (adopt_older_claim(ctx, worker)) {
        return;
    }
    if (!record_identifier(ctx)) {
        advance(ctx, PaymentEvent::verify_failed);
        return;
    }
    notify(ctx, NotifyEvent::verify);
    if (ctx.payment->settles == SettleTime::off) {
        accept_for_good(ctx, worker);
        return;
    }
    bool trusted = LockedClaims(worker.zone)->set_verified(ctx.payment->claim);
    if (trusted && !ctx.settled_before) {
        advance(ctx, PaymentEvent::verify_valid);
        return;
    }
    if (ctx.payment->scheme.upto && !ctx.settled_before) {
        // What the content costs is not known before it is made, and the most
        // that was signed is not for us to take.
        advance(ctx, PaymentEvent::verify_failed);
        ctx.answer = busy_answer(5);
        cap_retry(ctx);
        return;
    }
    ctx.settled_before = true;
    advance(ctx, PaymentEvent::verify_settle_first);
    SettlementTerms terms = settlement_terms(ctx);
    terms.was_verified = true;
    settle_first(ctx, worker, worker.endpoint_of(*ctx.asked), std::move(terms));
}

}  // namespace x402
