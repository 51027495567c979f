// SPDX-License-Identifier: Apache-2.0
// A payment that was presented before: what its claim says about it.
#include "nginx/payment/ngx_http_x402_resume.hpp"

#include "base/decimal_amount.hpp"
#include "facilitator/settle_request.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/payment/ngx_http_x402_admission.hpp"
#include "nginx/payment/ngx_http_x402_claim_takeover.hpp"
#include "nginx/payment/ngx_http_x402_payment.hpp"
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"
#include "nginx/payment/ngx_http_x402_payment_settlement.hpp"
#include "nginx/payment/ngx_http_x402_phase_wait.hpp"
#include "nginx/payment/ngx_http_x402_store_wait.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "nginx/request/ngx_http_x402_price_grace.hpp"
#include "policy/evm_address.hpp"
#include "policy/network_table.hpp"

namespace x402 {

namespace {

bool has_no_body(ngx_http_request_t *r)
{
    return (r->method == NGX_HTTP_GET || r->method == NGX_HTTP_HEAD)
           && r->headers_in.content_length_n <= 0 && !r->headers_in.chunked;
}

// What the first settle of a claim asked for, byte for byte; from the zone, or
// from the client's own bytes when only their digest was kept.
bool recall_settle(RequestCtx &ctx, const ClaimView &claim)
{
    Payment &payment = *ctx.payment;
    LockedClaims claims(main_conf(ctx.r)->zone);
    std::string stored = claims->stored_settle(claim.ref);
    if (stored.empty()) {
        const auto *option = find_option(ctx, payment.payload);
        if (option == nullptr) {
            return false;
        }
        set_option(ctx, *option);
        return claims->settle_digest_is(claim.ref,
                                        sha256(payment.request_body));
    }
    auto request = read_settle_request(stored);
    if (!request) {
        return false;
    }
    payment.receipt_network = std::move(request->receipt_network);
    payment.network = std::move(request->network);
    payment.amount = std::move(request->amount);
    payment.asset = std::move(request->asset);
    payment.pay_to = std::move(request->pay_to);
    payment.request_body = std::move(stored);
    return true;
}

// The same payment again, whose settlement was never answered.
void resume_unknown(RequestCtx &ctx, Worker &worker, const ClaimView &claim)
{
    Endpoint *endpoint = worker.endpoint_by_id(
        claim.facilitator, peer_by_id(*ctx.quote.conf, claim.facilitator));
    Admission admission(ctx, worker, AdmissionKind::resettle);
    bool possible =
        endpoint && recall_settle(ctx, claim) && admission
        && LockedClaims(worker.zone)->resume(claim.ref, worker.owner);
    if (!possible) {
        decide(ctx, unknown_answer());
        return;
    }
    admission.begin(ctx);
    ctx.payment->claim = claim.ref;
    ctx.payment->resumed = true;
    ctx.payment->settled_at = claim.settle_started;
    advance(ctx, PaymentEvent::claim_unknown_resumed);
    SettlementTerms terms = settlement_terms(ctx);
    terms.ever_unknown = true;
    terms.unrecorded = claim.abandoned;
    terms.was_verified = claim.was_verified;
    terms.first_settle_sent = claim.first_settle_sent;
    settle_first(ctx, worker, *endpoint, std::move(terms));
}

// What the claim proves about a payment whose settlement is over. The rest of
// the presented bytes was not verified.
void recall_paid(RequestCtx &ctx, const ClaimView &claim)
{
    Payment &payment = *ctx.payment;
    payment.network = canonical_network(payment.payload.network());
    if (auto asset = parse_evm_address(payment.payload.asset())) {
        payment.asset = evm_checksum_text(*asset);
    }
    payment.amount = atomic_amount_text(claim.binding.paid);
    payment.payer_known = true;
    auto receipt = JsonDocument::parse(claim.receipt);
    if (receipt) {
        ctx.trace.transaction =
            std::string(receipt->root()["transaction"].string());
    }
    ctx.payment->resumed = true;
    ctx.payment->settled_at = claim.settle_started;
}

// The same payment again, whose content was never delivered.
void resume_paid(RequestCtx &ctx, Worker &worker, const ClaimView &claim)
{
    if (!LockedClaims(worker.zone)->resume(claim.ref, worker.owner)) {
        challenge(ctx, kPaymentAlreadyUsed.word);
        return;
    }
    // Money: if anything fails from here on, the content stays owed.
    ctx.payment->claim = claim.ref;
    ctx.settled_first = true;
    ctx.never_settled = claim.never_settled;
    advance(ctx, PaymentEvent::claim_paid_resumed);
    ctx.receipt = claim.receipt;
    recall_paid(ctx, claim);
    log_line(NGX_LOG_NOTICE, ctx.r->connection->log,
             "content that was paid for is delivered again to payer \""
                 + ctx.payment->payer + "\"");
}

}  // namespace

ClaimPresenter presenter_of(RequestCtx &ctx, const ClaimView &claim)
{
    ClaimPresenter presenter;
    presenter.same_purchase = may_be_answered(claim) && claim.same_client
                              && is_bought_here(ctx, claim.binding);
    presenter.without_body = has_no_body(ctx.r);
    presenter.waited = ctx.claim_wait_until.has_value();
    return presenter;
}

void resume_claim(RequestCtx &ctx, Worker &worker, const ClaimView &claim)
{
    if (claim.state == ClaimState::unknown) {
        resume_unknown(ctx, worker, claim);
    } else {
        resume_paid(ctx, worker, claim);
    }
}

bool answer_from_claim(RequestCtx &ctx, Worker &worker, const ClaimView &claim)
{
    if (is_in_flight(claim) && wait_for_claim(ctx)) {
        return true;
    }
    ClaimPresenter presenter = presenter_of(ctx, claim);
    if (claim.state == ClaimState::unknown
        && take_over_claim(ctx, worker, claim)) {
        return true;
    }
    switch (answer_of(claim, presenter)) {
    case ClaimAnswer::none:
        return false;
    case ClaimAnswer::in_use:
        decide(ctx, in_use_answer());
        break;
    case ClaimAnswer::unknown:
        decide(ctx, unknown_answer());
        break;
    case ClaimAnswer::ask_again:
    case ClaimAnswer::deliver:
        if (worker.store) {
            resume_from_store(ctx, claim);
        } else {
            resume_claim(ctx, worker, claim);
        }
        break;
    case ClaimAnswer::used:
        challenge(ctx, kPaymentAlreadyUsed.word);
        break;
    }
    return true;
}

}  // namespace x402
