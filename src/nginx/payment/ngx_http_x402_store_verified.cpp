// SPDX-License-Identifier: Apache-2.0
// What the store is asked once a payment is verified: for older claims of its
// payer, and for its identifier.
#include "nginx/payment/ngx_http_x402_payer_claims.hpp"
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"
#include "nginx/payment/ngx_http_x402_store_door_internal.hpp"
#include "nginx/payment/ngx_http_x402_verified.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "session/claim_memory.hpp"

namespace x402 {

namespace {

// The claims of the payer that come before this payment, oldest first: owed
// content, then an outcome that is unknown.
ClaimView older_claim_of(RequestCtx &ctx, Worker &worker)
{
    const ClaimFacts &facts = ctx.payment->facts;
    Purchase purchase{facts.payer, facts.binding};
    LockedClaims claims(worker.zone);
    ClaimView older = claims->find_owed(purchase, ngx_time());
    return older.state != ClaimState::free
               ? older
               : claims->find_unknown(purchase, ngx_time());
}

void older_resumed(RequestCtx &ctx, const StoreReply &reply)
{
    std::shared_ptr<StoreHold> older = std::move(ctx.payment->older_hold);
    if (!reply.is(StoreVerdict::resumed)) {
        older->end();
        const StoredClaim &stored = reply.answer.claim;
        bool over = reply.is(StoreVerdict::lost)
                    && (stored.state == ClaimState::delivered
                        || stored.state == ClaimState::refused
                        || stored.state == ClaimState::closed);
        if (over) {
            end_local_claim(ctx, stored);
            accept_valid_payment(ctx);
            return;
        }
        end_payment(ctx, PaymentEvent::verify_failed, unknown_answer());
        return;
    }
    older->grant(door_of(ctx).call.asked());
    JournalRecord record;
    ClaimView claim = adopt_granted(ctx, reply.answer, record);
    auto own = ctx.payment->hold;
    ctx.payment->hold = older;
    if (claim.state == ClaimState::free
        || older_claim_of(ctx, worker_here(ctx)).key != claim.key
        || !adopt_older_claim(ctx, worker_here(ctx))) {
        // Another payment of this payer was faster, on this machine.
        ctx.payment->hold = own;
        give_back(*older, record);
        if (ctx.state() != PaymentState::closed) {
            end_payment(ctx, PaymentEvent::verify_failed, unknown_answer());
        }
        return;
    }
    tell_of_execution(ctx);
    if (ctx.state() == PaymentState::closed) {
        give_back(*older, record);
    }
    // The new payment was freed on this machine, and is not settled.
    StoreOrder freed = own->order(StoreScript::finish);
    freed.finish = FinishAs::free;
    own->end();
    own->store().tell(std::move(freed));
}

void on_older_resumed(void *data, const StoreReply &reply)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    resume_request(ctx->r, [&] { older_resumed(*ctx, reply); });
}

void named(RequestCtx &ctx, const StoreReply &reply)
{
    if (reply.is(StoreVerdict::done)) {
        accept_named_payment(ctx);
        return;
    }
    bool taken = reply.is(StoreVerdict::name_taken);
    end_payment(
        ctx, PaymentEvent::verify_failed,
        taken ? fault_answer(NGX_HTTP_CONFLICT, "payment_identifier_in_use")
              : busy_answer(kRetryStore));
}

void on_named(void *data, const StoreReply &reply)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    resume_request(ctx->r, [&] { named(*ctx, reply); });
}

}  // namespace

bool ask_store_for_name(RequestCtx &ctx)
{
    Payment &payment = *ctx.payment;
    if (!payment.name || !payment.hold || payment.hold->over()) {
        return false;
    }
    payment.hold->set_name(*payment.name);
    open_door(ctx).call.begin(
        payment.hold->store(),
        payment.hold->name_order(NameCall::note, payment.facts.expires),
        on_named, &ctx);
    return true;
}

bool ask_store_for_older(RequestCtx &ctx, Worker &worker)
{
    ClaimView older = older_claim_of(ctx, worker);
    if (older.state == ClaimState::free || older.in_use) {
        return false;
    }
    StoreDoor &door = open_door(ctx);
    auto hold = hold_for(ctx, older.key);
    ctx.payment->older_hold = hold;
    StoreOrder order = hold->order(StoreScript::resume);
    order.what = ResumeWhat::any;
    door.call.begin(*worker.store, std::move(order), on_older_resumed, &ctx);
    return true;
}

}  // namespace x402
