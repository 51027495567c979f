// SPDX-License-Identifier: Apache-2.0
// Two payments under one claim key: the first was settled before content
// without a verify, and its outcome is not known. Anyone who knows
// payer and nonce could have forged it and would lock the payer out until the
// authorization expires.
//
// Money: the claim is not touched before the second payment is verified, and
// that payment has terms which the first did not have, so that its signature
// cannot be a copy. The nonce lets at most one of the two be settled. Content
// is made when settlement is proven. A refusal proves nothing, because the
// first payment may have been genuine. A payer that signs two payments under
// one nonce has bought one thing.
#include "nginx/payment/ngx_http_x402_claim_takeover.hpp"

#include "base/text_excerpt.hpp"
#include "facilitator/settle_request.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/payment/ngx_http_x402_admission.hpp"
#include "nginx/payment/ngx_http_x402_identifier.hpp"
#include "nginx/payment/ngx_http_x402_payment.hpp"
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"
#include "nginx/payment/ngx_http_x402_payment_settlement.hpp"
#include "nginx/payment/ngx_http_x402_store_wait.hpp"
#include "nginx/reply/ngx_http_x402_notify.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"

namespace x402 {

namespace {

// Takes a slot and a place in the client's share. False: there is none now.
bool begin_takeover(RequestCtx &ctx, Worker &worker, ClaimRef claim)
{
    Payment &payment = *ctx.payment;
    if (!meets_offer(ctx, true) || payment.settles == SettleTime::off
        || payment.scheme.upto || !check_identifier(ctx, worker)) {
        return false;
    }
    Admission admission(ctx, worker, AdmissionKind::payment);
    if (!admission || admission.peer().settle_first) {
        return false;
    }
    admission.begin(ctx);
    payment.disputed_claim = claim;
    ctx.settled_before = true;
    advance(ctx, PaymentEvent::claim_taken);
    verify_payment(ctx, *admission.peer().endpoint);
    return true;
}

}  // namespace

bool take_over_claim(RequestCtx &ctx, Worker &worker, const ClaimView &claim)
{
    if (claim.was_verified || claim.in_use) {
        return false;
    }
    std::string sent = LockedClaims(worker.zone)->stored_settle(claim.ref);
    if (!signs_other_terms(sent, ctx.payment->payload.payload())) {
        return false;
    }
    if (!begin_takeover(ctx, worker, claim.ref)) {
        // If anything is wrong with the payment, the claim stays as it was.
        decide(ctx, unknown_answer());
    }
    return true;
}

void settle_disputed_claim(RequestCtx &ctx, Worker &worker)
{
    if (!record_identifier(ctx)) {
        end_payment(ctx, PaymentEvent::verify_failed, unknown_answer());
    } else if (worker.store) {
        ask_store_for_takeover(ctx);
    } else {
        settle_taken_over(ctx, nullptr);
    }
}

bool settle_taken_over(RequestCtx &ctx, const std::shared_ptr<StoreHold> &hold)
{
    Worker &worker = *worker_of(main_conf(ctx.r));
    Payment &payment = *ctx.payment;
    bool taken =
        LockedClaims(worker.zone)
            ->take_over(payment.disputed_claim, payment.facts, worker.owner,
                        payment.request_body, ctx.asked->id, ngx_time());
    if (!taken) {
        end_payment(ctx, PaymentEvent::verify_failed, unknown_answer());
        return false;
    }
    payment.claim = payment.disputed_claim;
    payment.hold = hold;
    log_line(NGX_LOG_NOTICE, ctx.r->connection->log,
             "an unverified payment of unknown outcome is replaced by a "
             "verified payment of payer \""
                 + log_excerpt(payment.payer) + "\" with the same nonce");
    notify(ctx, NotifyEvent::verify);
    // Never free again, whatever comes of it.
    advance(ctx, PaymentEvent::claim_unknown_resumed);
    SettlementTerms terms = settlement_terms(ctx);
    // A refusal does not count; only a payment is proof.
    terms.ever_unknown = true;
    settle_first(ctx, worker, worker.endpoint_of(*ctx.asked), std::move(terms));
    return true;
}

}  // namespace x402
