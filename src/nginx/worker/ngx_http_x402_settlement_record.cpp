// SPDX-License-Identifier: Apache-2.0
// Where a settlement waits until something is recorded: on the disk (x402_zone
// sync=on), and then in the store (x402_store).
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/worker/ngx_http_x402_settlement.hpp"
#include "session/settle_event.hpp"

namespace x402 {

// False: there is nothing to wait for.
bool Settlement::waits_for_record(StoreScript stage, Then then)
{
    stage_ = stage;
    then_ = then;
    if (worker_.sync && terms_.claim) {
        disk_.begin(*worker_.sync, on_disk, this);
        return true;
    }
    return waits_for_store();
}

void Settlement::on_disk(void *data, bool good)
{
    auto *settlement = static_cast<Settlement *>(data);
    bool waits = guarded(ngx_cycle->log, false,
                         [&] { return good && settlement->waits_for_store(); });
    if (!waits) {
        settlement->then_(*settlement, good);
    }
}

// Money: the claim as it is in the zone now, with what is asked for.
StoreOrder Settlement::store_order() const
{
    JournalRecord record = LockedClaims(worker_.zone)->record(terms_.claim);
    StoreOrder order = terms_.hold->order(stage_, record);
    if (stage_ == StoreScript::settling) {
        order.settle = terms_.body;
    }
    return order;
}

bool Settlement::waits_for_store()
{
    if (!terms_.hold || terms_.hold->over()) {
        return false;
    }
    store_.begin(terms_.hold->store(), store_order(), on_store, this);
    return true;
}

// SETTLING: without the store's word nothing is sent. PAID: the money has
// moved, and what the store does not know yet it is told until it does.
void Settlement::on_store(void *data, const StoreReply &reply)
{
    auto *settlement = static_cast<Settlement *>(data);
    bool good = reply.is(StoreVerdict::done);
    bool settling = settlement->stage_ == StoreScript::settling;
    bool lost = reply.is(StoreVerdict::lost);
    if (good) {
        settlement->terms_.hold->grant(settlement->store_.asked());
    }
    if (lost) {
        settlement->terms_.hold->end();
        settlement->elsewhere_ = !settling;
    }
    if (settling && !good) {
        settlement->in_doubt_ = reply.kind == StoreReply::Kind::doubtful;
        settlement->unrecorded_ =
            lost ? "another machine has taken the payment over"
                 : "the store of x402_store does not take it";
    }
    if (!settling && !good && !lost) {
        guarded(ngx_cycle->log, 0, [&] {
            settlement->terms_.hold->store().tell(settlement->store_order());
            return 0;
        });
    }
    settlement->then_(*settlement, good || (!settling && !lost));
}

// Money: a delivery without proof is one of few that the payer has on all
// machines together. True: the store is asked for it.
bool Settlement::waits_for_share(const SettleAnswer &answer)
{
    PaymentEvent event =
        settle_event(answer.verdict, {terms_.ever_unknown, terms_.was_verified,
                                      terms_.first_settle_sent});
    if (event != PaymentEvent::settle_unproven || !terms_.unproven_delivers
        || !terms_.hold || terms_.hold->over()) {
        return false;
    }
    // What cannot be asked is not delivered.
    has_share_ = false;
    share_in_doubt_ = true;
    StoreOrder order = terms_.hold->order(StoreScript::unproven);
    order.facts.payer = terms_.payer_digest;
    order.most_unproven = kMaxUnproven;
    answer_ = answer;
    stage_ = StoreScript::unproven;
    store_.begin(terms_.hold->store(), std::move(order), on_share, this);
    return true;
}

void Settlement::on_share(void *data, const StoreReply &reply)
{
    auto *settlement = static_cast<Settlement *>(data);
    settlement->has_share_ = reply.is(StoreVerdict::done);
    settlement->share_in_doubt_ = reply.kind != StoreReply::Kind::answered;
    settlement->finish(settlement->answer_);
}

void Settlement::tell_again()
{
    if (!on_wire_ || !terms_.hold || terms_.hold->over() || store_.waits()) {
        return;
    }
    guarded(ngx_cycle->log, 0, [&] {
        StoreOrder order = store_order();
        order.settling = SettlingCall::told_again;
        terms_.hold->store().tell(std::move(order));
        return 0;
    });
}

void Settlement::change_store_claim(ClaimChange change)
{
    SharedStore::change_claim(worker_.zone, terms_.hold.get(), terms_.claim,
                              change);
}

// SETTLING is recorded, or cannot be.
void Settlement::send_recorded(bool good)
{
    bool sent = good && guarded(ngx_cycle->log, false, [&] {
                    send();
                    return true;
                });
    if (!sent) {
        out_of_memory_ = good;
        finish_later();
        return;
    }
    if (state_ == PaymentState::recording
        || state_ == PaymentState::recording_first) {
        tell_of(step(state_, PaymentEvent::recorded));
    }
}

// The request takes a step, and the settlement goes on.
void Settlement::tell_of(const PaymentStep &step)
{
    state_ = step.next;
    if (done_) {
        done_(data_, step, result_);
    }
}

// Money: PAID is recorded before content. If disk or store does not take it the
// money has moved all the same, and content is not kept back; what another
// machine has delivered, or is about to, is not delivered here.
bool Settlement::secures(const PaymentStep &paid)
{
    bool of_request = state_ == PaymentState::settling
                      || state_ == PaymentState::settling_first;
    if (!of_request || paid.claim != ClaimChange::paid) {
        return false;
    }
    auto then = [](Settlement &settlement, bool) { settlement.secured(); };
    bool waits = guarded(ngx_cycle->log, false, [&] {
        return waits_for_record(StoreScript::paid, then);
    });
    if (!waits) {
        return false;
    }
    tell_of(recorded_first(result_.event, paid));
    return true;
}

void Settlement::secured()
{
    PaymentStep next = step(state_, elsewhere_ ? PaymentEvent::claim_lost
                                               : PaymentEvent::recorded);
    if (elsewhere_) {
        result_.delivered_elsewhere = true;
        change_store_claim(next.claim);
        log_line(NGX_LOG_NOTICE, log(),
                 "paid, and another machine delivers the content");
    }
    end(next);
}

}  // namespace x402
