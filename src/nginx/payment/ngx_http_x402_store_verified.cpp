// SPDX-License-Identifier: Apache-2.0
// What the store is asked once a payment is verified: for older claims of its
// payer, for its identifier, and for the claim that it disputes.
#include <algorithm>

#include "nginx/payment/ngx_http_x402_claim_takeover.hpp"
#include "nginx/payment/ngx_http_x402_payer_claims.hpp"
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"
#include "nginx/payment/ngx_http_x402_store_wait_internal.hpp"
#include "nginx/payment/ngx_http_x402_verify.hpp"
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
        give_back_unsure(*older, reply);
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
    older->grant(store_wait_of(ctx).call.asked());
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
    record_execution(ctx);
    if (ctx.state() == PaymentState::closed) {
        give_back(*older, record);
    }
    // The new payment was freed on this machine, and is not settled.
    StoreOrder freed = own->order(StoreScript::finish);
    freed.finish = FinishAs::free;
    own->end();
    own->store().write_behind(std::move(freed));
}

void on_older_resumed(void *data, const StoreReply &reply)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    resume_request(ctx->r, [&] { older_resumed(*ctx, reply); });
}

OwnReply name_answer()
{
    return fault_answer(kPaymentIdentifierInUse);
}

void named(RequestCtx &ctx, const StoreReply &reply)
{
    if (reply.is(StoreVerdict::done)) {
        accept_named_payment(ctx);
        return;
    }
    bool taken = reply.is(StoreVerdict::name_taken);
    end_payment(ctx, PaymentEvent::verify_failed,
                taken ? name_answer() : busy_answer(kRetryStore));
}

void on_named(void *data, const StoreReply &reply)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    resume_request(ctx->r, [&] { named(*ctx, reply); });
}

// The disputed claim as it is going to be: ClaimTable::take_over().
JournalRecord record_of_takeover(const RequestCtx &ctx)
{
    const Payment &payment = *ctx.payment;
    const ClaimFacts &facts = payment.facts;
    JournalRecord record =
        LockedClaims(worker_here(ctx).zone)->record(payment.disputed_claim);
    record.flags |= kTakenOver;
    record.binding = facts.binding;
    record.redeliver_key = facts.redeliver_key;
    record.payer = facts.payer;
    record.expires = std::max(record.expires, facts.expires);
    record.facilitator = ctx.asked->id;
    record.settle_started = ngx_time();
    record.settle_digest = sha256(payment.request_body);
    return record;
}

// Money: what another machine has, or knows to be over, is not settled here.
void answer_lost_takeover(RequestCtx &ctx, const StoreHold &hold,
                          const StoredClaim &stored)
{
    Worker &worker = worker_here(ctx);
    JournalRecord record;
    if (stored.state == ClaimState::free) {
        // It knows less than this machine; the next try finds it there.
        ClaimView local =
            LockedClaims(worker.zone)->view(ctx.payment->disputed_claim);
        copy_claim_to_store(ctx, hold, local);
    } else if (stored.state == ClaimState::paid
               && restored_record(stored, {}, record)) {
        LockedClaims(worker.zone)->adopt(record, ngx_time());
    }
    end_local_claim(ctx, stored);
    bool over = stored.state == ClaimState::delivered
                || stored.state == ClaimState::closed;
    end_payment(ctx, PaymentEvent::verify_failed,
                over ? challenge_answer(kPaymentAlreadyUsed.word)
                     : unknown_answer());
}

void taken_over(RequestCtx &ctx, const StoreReply &reply)
{
    std::shared_ptr<StoreHold> hold = std::move(ctx.payment->older_hold);
    if (reply.is(StoreVerdict::done)) {
        hold->grant(store_wait_of(ctx).call.asked());
        JournalRecord record = record_of_takeover(ctx);
        if (!settle_taken_over(ctx, hold)) {
            give_back(*hold, record);
        }
        return;
    }
    if (reply.is(StoreVerdict::lost)) {
        answer_lost_takeover(ctx, *hold, reply.answer.claim);
        hold->end();
        return;
    }
    hold->end();
    end_payment(ctx, PaymentEvent::verify_failed,
                reply.is(StoreVerdict::name_taken) ? name_answer()
                                                   : unknown_answer());
}

void on_taken_over(void *data, const StoreReply &reply)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    resume_request(ctx->r, [&] { taken_over(*ctx, reply); });
}

}  // namespace

void ask_store_for_takeover(RequestCtx &ctx)
{
    Payment &payment = *ctx.payment;
    auto hold = hold_for(ctx, payment.facts.key);
    payment.older_hold = hold;
    if (payment.name) {
        hold->set_name(*payment.name);
    }
    StoreOrder order =
        hold->order(StoreScript::takeover, record_of_takeover(ctx));
    order.settle = std::string_view(payment.request_body);
    begin_store_wait(ctx).call.begin(hold->store(), std::move(order),
                                     on_taken_over, &ctx);
}

bool ask_store_for_name(RequestCtx &ctx)
{
    Payment &payment = *ctx.payment;
    if (!payment.name || !payment.hold || payment.hold->over()) {
        return false;
    }
    payment.hold->set_name(*payment.name);
    begin_store_wait(ctx).call.begin(
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
    StoreWait &wait = begin_store_wait(ctx);
    auto hold = hold_for(ctx, older.key);
    ctx.payment->older_hold = hold;
    StoreOrder order = hold->order(StoreScript::resume);
    order.what = ResumeWhat::any;
    wait.call.begin(*worker.store, std::move(order), on_older_resumed, &ctx);
    return true;
}

}  // namespace x402
