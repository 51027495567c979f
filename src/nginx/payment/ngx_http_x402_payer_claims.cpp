// SPDX-License-Identifier: Apache-2.0
#include "nginx/payment/ngx_http_x402_payer_claims.hpp"

#include <algorithm>

#include "base/text_excerpt.hpp"
#include "facilitator/settle_request.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"
#include "nginx/payment/ngx_http_x402_payment_settlement.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "nginx/request/ngx_http_x402_price_grace.hpp"
#include "policy/evm_address.hpp"
#include "session/older_claim.hpp"

namespace x402 {

namespace {

Purchase purchase_of(const RequestCtx &ctx)
{
    const ClaimFacts &facts = ctx.payment->facts;
    return {facts.payer, facts.binding};
}

// The facilitator may name another payer than the payment does: then it is not
// known whose payment it is.
bool payer_is_proven(const Payment &payment)
{
    auto parsed = parse_evm_address(payment.scheme.payer);
    return parsed
           && (payment.payer == payment.scheme.payer
               || parsed == parse_evm_address(payment.payer));
}

// From now on the claim of this request is the older one.
void take_up(RequestCtx &ctx, const ClaimView &older, PaymentEvent event)
{
    Payment &payment = *ctx.payment;
    payment.facts.key = older.key;
    payment.bought = payment.option;
    payment.bought_binding = older.binding;
    payment.valid_before = older.expires - kAfterlife;
    payment.resumed = true;
    payment.spared = true;
    payment.settled_at = older.settle_started;
    ctx.settled_before = false;
    // Money: nothing between these two may throw, or the cleanup would free
    // what is owed.
    payment.claim = older.ref;
    advance(ctx, event);
}

void deliver_owed(RequestCtx &ctx, const ClaimView &older)
{
    Payment &payment = *ctx.payment;
    take_up(ctx, older, PaymentEvent::claim_paid_resumed);
    ctx.slot = Slot();
    ctx.settled_first = true;
    ctx.never_settled = older.never_settled;
    ctx.receipt = older.receipt;
    payment.amount =
        LockedClaims(main_conf(ctx.r)->zone)->texts(older.ref).amount;
    auto receipt = JsonDocument::parse(older.receipt);
    if (receipt) {
        ctx.trace.transaction =
            std::string(receipt->root()["transaction"].string());
    }
    log_line(
        NGX_LOG_NOTICE, ctx.r->connection->log,
        "content that was paid for is delivered to payer \""
            + log_excerpt(payment.payer)
            + "\", which presented a new payment; the new one is not settled");
}

// Asks the facilitator of the older claim again. False: not possible now.
bool ask_again(RequestCtx &ctx, Worker &worker, const ClaimView &older)
{
    Payment &payment = *ctx.payment;
    Endpoint *endpoint = worker.endpoint_by_id(
        older.facilitator, peer_by_id(*ctx.quote.conf, older.facilitator));
    std::string stored = LockedClaims(worker.zone)->stored_settle(older.ref);
    auto request = read_settle_request(stored);
    if (endpoint == nullptr || !request) {
        return false;
    }
    if (!take_unknown(*LockedClaims(worker.zone), older.ref, payment.claim,
                      worker.owner)) {
        return false;
    }
    take_up(ctx, older, PaymentEvent::claim_unknown_resumed);
    payment.network = std::move(request->network);
    payment.amount = std::move(request->amount);
    payment.asset = std::move(request->asset);
    payment.pay_to = std::move(request->pay_to);
    payment.request_body = std::move(stored);
    SettlementTerms terms = settlement_terms(ctx);
    terms.at_most = request->at_most;
    terms.ever_unknown = true;
    terms.unrecorded = older.abandoned;
    terms.was_verified = older.was_verified;
    terms.first_settle_sent = older.first_settle_sent;
    settle_first(ctx, worker, *endpoint, std::move(terms));
    return true;
}

}  // namespace

void complete_facts(RequestCtx &ctx, const PaymentOffer::Option &option)
{
    ClaimFacts &facts = ctx.payment->facts;
    const SchemePayload &scheme = ctx.payment->scheme;
    bind_option(facts.binding, option);
    // No chain prevents a second use of these.
    facts.only_guard = ctx.payment->settles == SettleTime::off
                       || scheme.form == PaymentForm::fast;
}

bool has_older_claim(const RequestCtx &ctx, Worker &worker)
{
    return LockedClaims(worker.zone)->has_older(purchase_of(ctx), ngx_time());
}

bool adopt_older_claim(RequestCtx &ctx, Worker &worker)
{
    if (!payer_is_proven(*ctx.payment)) {
        return false;
    }
    OlderClaim older = take_older(*LockedClaims(worker.zone), purchase_of(ctx),
                                  ctx.payment->claim, worker.owner, ngx_time());
    switch (older.kind) {
    case OlderClaim::Kind::none:
        return false;
    case OlderClaim::Kind::owed:
        deliver_owed(ctx, older.claim);
        return true;
    case OlderClaim::Kind::unknown:
        if (ask_again(ctx, worker, older.claim)) {
            return true;
        }
        break;
    case OlderClaim::Kind::in_use:
        break;
    }
    end_payment(ctx, PaymentEvent::verify_failed, unknown_answer());
    ctx.answer.retry_after =
        std::min(ctx.answer.retry_after, static_cast<ngx_uint_t>(older.left));
    return true;
}

}  // namespace x402
