// SPDX-License-Identifier: Apache-2.0
#include "nginx/payment/ngx_http_x402_store_wait_internal.hpp"

#include <algorithm>

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/payment/ngx_http_x402_claim_takeover.hpp"
#include "nginx/payment/ngx_http_x402_payment.hpp"
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"
#include "nginx/payment/ngx_http_x402_payment_settlement.hpp"
#include "nginx/payment/ngx_http_x402_resume.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "nginx/request/ngx_http_x402_price_grace.hpp"
#include "session/claim_memory.hpp"

namespace x402 {

StoreWait &store_wait_of(RequestCtx &ctx)
{
    return *static_cast<StoreWait *>(ctx.store_wait.get());
}

StoreWait &begin_store_wait(RequestCtx &ctx)
{
    ctx.store_wait = std::allocate_shared<StoreWait>(
        SpareAllocator<StoreWait, kMostSpareWaits>());
    return store_wait_of(ctx);
}

Worker &worker_here(const RequestCtx &ctx)
{
    return *worker_of(main_conf(ctx.r));
}

std::shared_ptr<StoreHold> hold_for(RequestCtx &ctx, const Digest &key)
{
    const ClaimFacts &facts = ctx.payment->facts;
    return std::allocate_shared<StoreHold>(
        SpareAllocator<StoreHold, kMostSpareWaits>(), *worker_here(ctx).store,
        key, facts.payer, facts.binding.resource);
}

void end_local_claim(RequestCtx &ctx, const StoredClaim &stored)
{
    ClaimFacts facts = ctx.payment->facts;
    facts.key = stored.key;
    LockedClaims claims(worker_here(ctx).zone);
    ClaimView view = claims->look_up(facts, ngx_time());
    if (view.in_use || view.state == ClaimState::free) {
        return;
    }
    if (stored.state == ClaimState::delivered
        || stored.state == ClaimState::closed) {
        claims->set_delivered(view.ref, ngx_time());
    } else if (stored.state == ClaimState::refused) {
        claims->set_refused(view.ref, ngx_time());
    }
}

bool copy_claim_to_store(RequestCtx &ctx, const StoreHold &hold,
                         const ClaimView &claim)
{
    JournalRecord record =
        LockedClaims(worker_here(ctx).zone)->record(claim.ref);
    if (record.state != static_cast<std::uint32_t>(claim.state)) {
        return false;
    }
    StoreOrder order = hold.order(StoreScript::finish, record);
    order.finish =
        claim.state == ClaimState::paid ? FinishAs::owed : FinishAs::unknown;
    order.settle = std::move(record.settle);
    hold.store().write_behind(std::move(order));
    return true;
}

void give_back(StoreHold &hold, const JournalRecord &record)
{
    StoreOrder order = hold.order(StoreScript::finish, record);
    order.finish = static_cast<ClaimState>(record.state) == ClaimState::paid
                       ? FinishAs::owed
                       : FinishAs::unknown;
    hold.end();
    hold.store().write_behind(std::move(order));
}

void give_back_unsure(StoreHold &hold, const StoreReply &reply)
{
    JournalRecord record;
    if (reply.answer.verdict == StoreVerdict::resumed
        && restored_record(reply.answer.claim, {}, record)) {
        give_back(hold, record);
    }
    hold.end();
}

ClaimView adopt_granted(RequestCtx &ctx, const StoreAnswer &answer,
                        JournalRecord &record)
{
    if (!restored_record(answer.claim, answer.settle, record)) {
        return {};
    }
    ClaimFacts facts = ctx.payment->facts;
    facts.key = answer.claim.key;
    LockedClaims claims(worker_here(ctx).zone);
    return claims->adopt(record, ngx_time())
               ? claims->look_up(facts, ngx_time())
               : ClaimView();
}

void record_execution(RequestCtx &ctx)
{
    if (ctx.state() != PaymentState::paid) {
        return;
    }
    StoreHold &hold = *ctx.payment->hold;
    hold.store().write_behind(hold.order(
        StoreScript::paid,
        LockedClaims(worker_here(ctx).zone)->record(ctx.payment->claim)));
}

namespace {

constexpr ngx_msec_t kLongestLookInterval = 400;

// A claim as another machine knows it.
ClaimView view_of(const RequestCtx &ctx, const StoredClaim &stored,
                  const JournalRecord *record)
{
    ClaimView view;
    view.state = stored.state;
    view.key = stored.key;
    view.in_use = stored.in_use();
    view.abandoned = stored.flags & kAbandoned;
    view.was_verified = stored.flags & kWasVerified;
    view.ever_unknown = stored.flags & kEverUnknown;
    view.executions = stored.executions;
    if (record) {
        view.binding = record->binding;
        view.same_client =
            record->redeliver_key == ctx.payment->facts.redeliver_key;
        view.never_settled =
            view.state == ClaimState::paid && record->settle_started == 0;
        view.expires = record->expires;
    }
    return view;
}

// No machine has the claim in hand, and it was never verified: this payment may
// take its place, as on the machine that knows it. False: it may not.
bool disputes_held(RequestCtx &ctx, const StoreAnswer &held)
{
    const StoredClaim &stored = held.claim;
    bool doubted = stored.state == ClaimState::unknown && !stored.in_use()
                   && !(stored.flags & kWasVerified) && !held.settle.empty();
    if (!doubted) {
        return false;
    }
    JournalRecord record;
    ClaimView claim = adopt_granted(ctx, held, record);
    if (claim.state != ClaimState::unknown) {
        return false;
    }
    ctx.slot = Slot();
    return take_over_claim(ctx, worker_here(ctx), claim);
}

// Another machine has the claim, in whatever state: answers, or waits for it.
void answer_held(RequestCtx &ctx, const StoredClaim &stored, bool may_resume)
{
    JournalRecord record;
    bool known = restored_record(stored, {}, record);
    ClaimView view = view_of(ctx, stored, known ? &record : nullptr);
    ctx.slot = Slot();
    ngx_msec_t interval =
        std::min(kClaimLookInterval << std::min(ctx.payment->looks++, 3u),
                 kLongestLookInterval);
    if (is_in_flight(view) && wait_for_claim(ctx, interval)) {
        return;
    }
    switch (answer_of(view, presenter_of(ctx, view))) {
    case ClaimAnswer::in_use:
        decide(ctx, in_use_answer());
        break;
    case ClaimAnswer::ask_again:
    case ClaimAnswer::deliver:
        if (may_resume) {
            resume_from_store(ctx, view);
            break;
        }
        [[fallthrough]];
    case ClaimAnswer::used:
        if (view.state != ClaimState::unknown) {
            challenge(ctx, kPaymentAlreadyUsed.word);
            break;
        }
        [[fallthrough]];
    case ClaimAnswer::unknown:
        decide(ctx, unknown_answer());
        break;
    case ClaimAnswer::none:
        // Refused a moment ago, elsewhere: the next attempt starts from the
        // beginning.
        decide(ctx, busy_answer(kRetryInFlight));
        break;
    }
}

// Older claims of the payer that other machines know are known here, too.
void import_older(Worker &worker, const StoreAnswer &answer)
{
    for (std::size_t i = 0; i < answer.older_count; i++) {
        JournalRecord record;
        if (restored_record(answer.older[i], {}, record)) {
            LockedClaims(worker.zone)->adopt(record, ngx_time());
        }
    }
}

void on_taken(void *data, const StoreReply &reply)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    resume_from_wait(*ctx, [&] {
        Worker &worker = worker_here(*ctx);
        PeerChoice peer = store_wait_of(*ctx).peer;
        if (reply.is(StoreVerdict::taken)) {
            import_older(worker, reply.answer);
            if (reply.answer.claim.state == ClaimState::refused) {
                set_settle_time(*ctx, true);
            }
            ask_facilitator(*ctx, worker, peer);
            return;
        }
        if (!reply.is(StoreVerdict::held)) {
            if (reply.kind == StoreReply::Kind::undone) {
                ctx->payment->hold->end();  // there is nothing to be undone
            }
            decide(*ctx, busy_answer(kRetryStore));
            return;
        }
        ctx->payment->hold->end();
        advance(*ctx, PaymentEvent::claim_elsewhere);
        ctx->payment->hold.reset();
        ctx->payment->claim = ClaimRef();
        if (!disputes_held(*ctx, reply.answer)) {
            answer_held(*ctx, reply.answer.claim, true);
        }
    });
}

void ask_to_resume(RequestCtx &ctx, StoreCall::Done done)
{
    StoreHold &hold = *ctx.payment->hold;
    StoreOrder order = hold.order(StoreScript::resume);
    order.what = ResumeWhat::any;
    store_wait_of(ctx).call.begin(hold.store(), std::move(order), done, &ctx);
}

void on_resumed(void *data, const StoreReply &reply);

void resumed(RequestCtx &ctx, const StoreReply &reply)
{
    Worker &worker = worker_here(ctx);
    ClaimView local = store_wait_of(ctx).claim;
    auto hold = ctx.payment->hold;
    if (reply.is(StoreVerdict::resumed)) {
        hold->grant(store_wait_of(ctx).call.asked());
        JournalRecord record;
        ClaimView claim = adopt_granted(ctx, reply.answer, record);
        if (claim.state == ClaimState::free) {
            give_back(*hold, record);
            decide(ctx, unknown_answer());
            return;
        }
        resume_claim(ctx, worker, claim);
        record_execution(ctx);
        if (ctx.state() == PaymentState::closed && !hold->over()) {
            give_back(*hold, record);
        }
        return;
    }
    const StoredClaim &stored = reply.answer.claim;
    if (reply.is(StoreVerdict::lost) && stored.state == ClaimState::free
        && !store_wait_of(ctx).copied
        && copy_claim_to_store(ctx, *hold, local)) {
        store_wait_of(ctx).copied = true;
        ask_to_resume(ctx, on_resumed);
        return;
    }
    give_back_unsure(*hold, reply);
    if (reply.is(StoreVerdict::lost) && stored.state != ClaimState::free) {
        end_local_claim(ctx, stored);
        advance(ctx, PaymentEvent::claim_elsewhere);
        ctx.payment->hold.reset();
        answer_held(ctx, stored, false);
        return;
    }
    // Money: no other knows better; what was asked for is not asked for again.
    decide(ctx, local.state == ClaimState::unknown ? unknown_answer()
                                                   : busy_answer(kRetryStore));
}

void on_resumed(void *data, const StoreReply &reply)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    resume_from_wait(*ctx, [&] { resumed(*ctx, reply); });
}

// Whether what the store has answers for a payment that this machine does not
// take.
bool is_known(const StoredClaim &stored)
{
    switch (stored.state) {
    case ClaimState::free:
    case ClaimState::refused:
        return false;
    case ClaimState::verifying:
        return stored.in_use();
    default:
        return true;
    }
}

void looked(RequestCtx &ctx, const StoreReply &reply)
{
    const StoredClaim &stored = reply.answer.claim;
    ctx.wait_slot = QuotaSlot();
    if (reply.is(StoreVerdict::lost) && is_known(stored)) {
        advance(ctx, PaymentEvent::claim_elsewhere);
        // Whether it is in dispute takes a facilitator.
        bool disputable = stored.state == ClaimState::unknown
                          && !(stored.flags & kWasVerified);
        if (disputable) {
            decide(ctx, unknown_answer());
        } else {
            answer_held(ctx, stored, true);
        }
        return;
    }
    // Money: a payment that may be of unknown outcome is not asked for again.
    if (reply.kind != StoreReply::Kind::answered
        && store_wait_of(ctx).refused) {
        decide(ctx, busy_answer(kRetryStore));
        return;
    }
    ctx.payment->looked = true;
    advance(ctx, PaymentEvent::claim_elsewhere);
    continue_payment(ctx);
}

void on_looked(void *data, const StoreReply &reply)
{
    auto *ctx = static_cast<RequestCtx *>(data);
    resume_from_wait(*ctx, [&] { looked(*ctx, reply); });
}

}  // namespace

void look_in_store(RequestCtx &ctx, bool refused)
{
    Worker &worker = worker_here(ctx);
    ctx.wait_slot = QuotaSlot(worker.addresses, ctx.r->connection,
                              ctx.quote.conf->max_calls);
    if (!ctx.wait_slot) {
        // It has as many payments that wait as it may have.
        decide(ctx, busy_answer(kRetryInFlight));
        return;
    }
    StoreWait &wait = begin_store_wait(ctx);
    wait.refused = refused;
    StoreOrder order =
        hold_for(ctx, ctx.payment->facts.key)->order(StoreScript::resume);
    order.what = ResumeWhat::none;
    advance(ctx, PaymentEvent::claim_asked);
    wait.call.begin(*worker.store, std::move(order), on_looked, &ctx);
}

void take_from_store(RequestCtx &ctx, const PeerChoice &peer)
{
    Payment &payment = *ctx.payment;
    payment.hold = hold_for(ctx, payment.facts.key);
    StoreWait &wait = begin_store_wait(ctx);
    wait.peer = peer;
    StoreOrder order = payment.hold->order(StoreScript::take);
    order.facts.expires = payment.facts.expires;
    order.facts.flags = payment.facts.only_guard ? kOnlyGuard : 0;
    advance(ctx, PaymentEvent::claim_asked);
    wait.call.begin(*worker_here(ctx).store, std::move(order), on_taken, &ctx);
}

void resume_from_store(RequestCtx &ctx, const ClaimView &claim)
{
    begin_store_wait(ctx).claim = claim;
    ctx.payment->hold = hold_for(ctx, ctx.payment->facts.key);
    advance(ctx, PaymentEvent::claim_asked);
    ask_to_resume(ctx, on_resumed);
}

}  // namespace x402
