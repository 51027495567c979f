// Two payments under one claim key: the first was settled before content,
// without anybody having verified it, and its outcome is not known. Whoever
// knows payer and nonce can have made it up, and the payer would be locked out
// with what he signed until its time is over.
//
// Money: the claim is not touched before the second payment is verified, and it
// is for terms that the first did not have: a signature that cannot be taken
// from the first. At most one of the two can be settled, by its nonce; content
// is made when that is proven, and of a refusal nothing follows, since the
// first may have been genuine. Whoever signs two payments under one nonce has
// bought one thing.
#include "facilitator/settle_request.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/payment/ngx_http_x402_facilitator_peers.hpp"
#include "nginx/payment/ngx_http_x402_payment.hpp"
#include "nginx/reply/ngx_http_x402_notify.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"

namespace x402 {

namespace {

// Nothing is taken but a slot and a place of this client's. False: not now.
bool begin_takeover(RequestCtx &ctx, Worker &worker, ClaimRef claim)
{
    Payment &payment = *ctx.payment;
    if (!meets_offer(ctx, true) || payment.settles == SettleTime::off
        || payment.scheme.upto || !check_identifier(ctx, worker)) {
        return false;
    }
    PeerChoice peer = choose_peer(ctx, worker);
    if (peer.endpoint == nullptr || peer.settle_first
        || !Slot::available(worker, ctx.conf->max_calls, false)) {
        return false;
    }
    AddressPlace place(worker.addresses, ctx.r->connection,
                       ctx.conf->max_calls);
    if (!place) {
        return false;
    }
    ctx.slot = Slot(worker, std::move(place));
    peer.use();
    payment.disputed_claim = claim;
    ctx.settled_before = true;
    advance(ctx, PaymentEvent::claim_taken);
    begin_verify(ctx, *peer.endpoint);
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
        // Whatever is wrong with it: the claim is what it was.
        decide(ctx, unknown_answer());
        cap_retry(ctx);
    }
    return true;
}

void settle_disputed_claim(RequestCtx &ctx, Worker &worker)
{
    Payment &payment = *ctx.payment;
    bool taken =
        record_identifier(ctx)
        && LockedClaims(worker.zone)
               ->take_over(payment.disputed_claim, payment.facts, worker.owner,
                           payment.request_body, ctx.asked->id, ngx_time());
    if (!taken) {
        advance(ctx, PaymentEvent::verify_failed);
        ctx.answer = unknown_answer();
        cap_retry(ctx);
        return;
    }
    payment.claim = payment.disputed_claim;
    log_line(NGX_LOG_NOTICE, ctx.r->connection->log,
             "a payment of unknown outcome that nobody had verified gives way "
             "to another one of payer \""
                 + log_excerpt(payment.payer) + "\" under the same nonce");
    notify(ctx, NotifyEvent::verify);
    advance(ctx, PaymentEvent::verify_settle_first);
    SettlementTerms terms = settlement_terms(ctx);
    // No refusal counts, and nothing but payment is proof.
    terms.ever_unknown = true;
    settle_first(ctx, worker, worker.endpoint_of(*ctx.asked), std::move(terms));
}

}  // namespace x402
