// SPDX-License-Identifier: Apache-2.0
#include "nginx/worker/ngx_http_x402_settlement.hpp"

#include <algorithm>
#include <memory>

#include "base/decimal_amount.hpp"
#include "base/json_document.hpp"
#include "nginx/call/ngx_http_x402_endpoint.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/zone/ngx_http_x402_zone.hpp"
#include "protocol/settlement_receipt.hpp"

namespace x402 {

namespace {

// The core of a receipt, for a claim's cell: a facilitator may send more than
// fits there, and a later presenter needs this much.
std::string short_receipt(const std::string &receipt,
                          const SettlementTerms &terms)
{
    auto document = JsonDocument::parse(receipt);
    JsonValue root = document ? document->root() : JsonValue();
    return settlement_receipt_json(
        true, terms.payer, root["transaction"].string(), terms.receipt_network);
}

}  // namespace

Settlement::Settlement(Worker &worker, Endpoint &endpoint,
                       SettlementTerms &&terms, PaymentState state, Slot &&slot,
                       Done done, void *data)
    : worker_(worker),
      endpoint_(&endpoint),
      terms_(std::move(terms)),
      state_(state),
      slot_(std::move(slot)),
      done_(done),
      data_(data)
{
    worker_.settlements.push_back(this);
}

Settlement::~Settlement()
{
    if (unwritten_.posted) {
        ngx_delete_posted_event(&unwritten_);
    }
    auto &list = worker_.settlements;
    list.erase(std::remove(list.begin(), list.end(), this), list.end());
}

Settlement *Settlement::start(Worker &worker, Endpoint &endpoint,
                              SettlementTerms &&terms, PaymentState state,
                              Slot &&slot, Done done, void *data)
{
    auto *settlement = new Settlement(worker, endpoint, std::move(terms), state,
                                      std::move(slot), done, data);
    settlement->claim_and_send();
    return settlement;
}

void Settlement::claim_and_send()
{
    bool done = guarded(ngx_cycle->log, false, [&] {
        write_and_send();
        return true;
    });
    if (!done && call_ == nullptr) {
        // Only creating a call throws: nothing was sent.
        out_of_memory_ = true;
        finish_later();
    }
}

void Settlement::finish_later()
{
    unwritten_.handler = on_unwritten;
    unwritten_.data = this;
    unwritten_.log = ngx_cycle->log;
    ngx_post_event(&unwritten_, &ngx_posted_events);
}

void Settlement::write_and_send()
{
    // Money: SETTLING is in shared memory before the first byte leaves; a
    // worker that dies now leaves an unknown outcome, never a free claim.
    // A token has no claim, and needs none.
    bool recorded = true;
    if (terms_.claim) {
        LockedClaims claims(worker_.zone);
        if (!terms_.ever_unknown) {
            claims->set_texts(terms_.claim, terms_.network, terms_.payer,
                              terms_.asset);
            if (auto paid = atomic_amount_bytes(terms_.amount)) {
                claims->set_amount_paid(terms_.claim, *paid);
            }
        }
        recorded = claims->set_settling(terms_.claim, terms_.body,
                                        endpoint_->conf().id, ngx_time());
    }
    if (!recorded) {
        finish_later();
        return;
    }
    if (terms_.money.books && terms_.claim) {
        note_ = keep_note(terms_.money);
    }
    auto then = [](Settlement &settlement, bool good) {
        settlement.send_recorded(good);
    };
    if (!waits_for_record(StoreScript::settling, then)) {
        send();
    }
}

void Settlement::end(const PaymentStep &step)
{
    SettlementResult result = std::move(result_);
    Done done = done_;
    void *data = data_;
    // The place among the payments in flight is free before the request goes
    // on: it may well end in this call.
    delete this;
    if (done) {
        done(data, step, result);
    }
}

void Settlement::on_unwritten(ngx_event_t *event)
{
    auto *settlement = static_cast<Settlement *>(event->data);
    SettleAnswer answer;
    answer.verdict = SettleVerdict::not_sent;
    guarded(ngx_cycle->log, 0, [&] {
        answer.detail = settlement->out_of_memory_ ? "no memory"
                        : settlement->unrecorded_
                            ? settlement->unrecorded_
                            : "the journal of x402_zone cannot be written";
        return 0;
    });
    settlement->finish(answer);
}

void Settlement::send()
{
    CallTerms call;
    call.operation = Operation::settle;
    call.body = terms_.body;
    call.connect_timeout = terms_.connect_timeout;
    call.timeout = terms_.timeout;
    call.on_sent = on_sent;
    on_wire_ = true;
    call_ = FacilitatorCall::start(*endpoint_, std::move(call), on_reply, this);
}

void Settlement::detach()
{
    if (state_ != PaymentState::charging) {
        state_ = PaymentState::orphaned;
    }
    done_ = nullptr;
    data_ = nullptr;
    terms_.request_log = nullptr;
}

ngx_log_t *Settlement::log() const
{
    return terms_.request_log ? terms_.request_log : terms_.log;
}

void Settlement::abandon()
{
    if (state_ == PaymentState::securing
        || state_ == PaymentState::securing_first) {
        // Paid, and owed once its worker is gone.
        delete this;
        return;
    }
    if (call_) {
        call_->cancel();
        call_ = nullptr;
    }
    detach();
    SettleAnswer answer;
    answer.detail = "the worker process ends";
    bool recording = disk_.waits() || store_.waits();
    if (unwritten_.handler || (recording && stage_ != StoreScript::unproven)) {
        answer.verdict = SettleVerdict::not_sent;
    }
    finish(answer);
}

void Settlement::on_reply(void *data, FacilitatorReply &reply)
{
    auto *settlement = static_cast<Settlement *>(data);
    settlement->call_ = nullptr;
    SettleAnswer answer;
    // Money: an answer that cannot be read for lack of memory is unknown.
    bool goes_on = guarded(ngx_cycle->log, false, [&] {
        answer = settlement->read_reply(reply);
        return settlement->goes_elsewhere(reply)
               || settlement->asks_twice(answer);
    });
    if (goes_on) {
        return;
    }
    settlement->answer_body_ = std::move(reply.body);
    bool waits = guarded(ngx_cycle->log, false,
                         [&] { return settlement->waits_for_share(answer); });
    if (!waits) {
        settlement->finish(answer);
    }
}

SettleAnswer Settlement::read_reply(const FacilitatorReply &reply)
{
    SettleAnswer answer = terms_.read_answer(
        reply, {terms_.network, terms_.payer, terms_.amount, terms_.at_most});
    record_health(*endpoint_, Operation::settle, call_health(reply, answer),
                  terms_.payer_digest, log());
    note_sent(reply.sent_completely);
    return answer;
}

// Money: before there is an answer, since a worker may be killed while it waits
// for one. A redirect may send to where less of it gets; a second call takes
// nothing back of what the first one has sent.
void Settlement::note_sent(bool completely)
{
    if (completely != sent_ && !terms_.ever_unknown
        && (completely || !asked_twice_)) {
        sent_ = completely;
        LockedClaims(worker_.zone)
            ->set_first_settle_sent(terms_.claim, completely);
    }
}

void Settlement::on_sent(void *data)
{
    guarded(ngx_cycle->log, 0, [&] {
        static_cast<Settlement *>(data)->note_sent(true);
        return 0;
    });
}

// A pending settlement is asked about once more.
bool Settlement::asks_twice(SettleAnswer &answer)
{
    if (answer.verdict == SettleVerdict::pending && !asked_twice_) {
        asked_twice_ = true;
        send();
        return true;
    }
    // The first answer named a transaction: only success is proof.
    if (asked_twice_ && answer.verdict != SettleVerdict::paid) {
        answer.verdict = SettleVerdict::unknown;
    }
    return false;
}

// Money: only if it is proven that nothing was written to the socket, neither
// now nor in an earlier call of this claim.
bool Settlement::goes_elsewhere(const FacilitatorReply &reply)
{
    bool unsent = reply.transport == Transport::not_sent
                  || reply.transport == Transport::no_connection;
    if (!unsent || terms_.ever_unknown || asked_twice_) {
        return false;
    }
    Endpoint *next = next_to_settle(terms_.others);
    if (next == nullptr) {
        return false;
    }
    log_line(NGX_LOG_WARN, log(),
             "settle was not sent to facilitator \""
                 + endpoint_->conf().url.base() + "\": " + reply.detail
                 + "; asking \"" + next->conf().url.base() + "\"");
    endpoint_ = next;
    claim_and_send();
    return true;
}

void Settlement::keep_receipt(const std::string &receipt)
{
    LockedClaims claims(worker_.zone);
    // Content that is owed from the start has never been made.
    bool makes_content =
        state_ != PaymentState::orphaned && state_ != PaymentState::charging;
    auto keep = [&](const std::string &text) {
        return claims->set_paid(terms_.claim, text, ngx_time(), makes_content);
    };
    if (!keep(receipt) && !keep(short_receipt(receipt, terms_))) {
        // Never too long: only success, which is what matters.
        keep("{\"success\":true}");
    }
}

void Settlement::change_claim(const PaymentStep &step,
                              const SettlementResult &result)
{
    if (result.event == PaymentEvent::settle_paid
        || result.event == PaymentEvent::settle_unproven) {
        keep_receipt(result.receipt);
    }
    change_store_claim(step.claim);
}

void Settlement::log_outcome(const SettlementResult &result,
                             const SettleAnswer &answer)
{
    const char *event = "unknown";
    switch (result.event) {
    case PaymentEvent::settle_paid:
        // Nothing is owed for a token, which its bearer may use again.
        event = state_ == PaymentState::orphaned && terms_.claim
                    ? "paid, content owed"
                    : "paid";
        break;
    case PaymentEvent::settle_unproven:
        event = "unproven";
        break;
    case PaymentEvent::settle_refused:
        event = "refused";
        break;
    case PaymentEvent::settle_not_processed:
        event = "not processed";
        break;
    case PaymentEvent::settle_waived:
        event = state_ == PaymentState::orphaned
                    ? "not settled"
                    : "not settled, delivered all the same";
        break;
    default:
        break;
    }
    if (result.event == PaymentEvent::settle_not_processed
        || result.event == PaymentEvent::settle_waived
        || result.event == PaymentEvent::settle_unknown) {
        bool operator_fault = answer.verdict == SettleVerdict::operator_fault;
        log_line(operator_fault ? NGX_LOG_CRIT : NGX_LOG_ERR, log(),
                 "settle at facilitator \"" + endpoint_->conf().url.base()
                     + (result.unwritten ? "\" was not sent: " : "\" failed: ")
                     + answer.detail
                     + (operator_fault ? "; check x402_facilitator and the "
                                         "account at that facilitator"
                                       : ""));
    }
    if (log()->log_level >= NGX_LOG_NOTICE) {
        log_ledger(log(), {event, terms_.network, terms_.payer, terms_.amount,
                           terms_.asset, answer.transaction, answer.reason,
                           terms_.resource, short_id(terms_.money.payment)});
    }
}

// Money: whatever fails here for want of memory, the claim does not stay in
// use, and the outcome is not better than what was written. The line in the
// ledger comes first: a worker that is killed after it leaves an outcome that
// is asked for again, one that is killed after the claim would leave no line.
void Settlement::finish(SettleAnswer &answer)
{
    SettlementResult result;
    result.asked = &endpoint_->conf();
    PaymentStep next = step(state_, result.event);
    guarded(ngx_cycle->log, 0, [&] {
        SettlementResult read = result_of(answer);
        next = step(state_, read.event);
        result = std::move(read);
        return 0;
    });
    guarded(ngx_cycle->log, 0, [&] {
        log_outcome(result, answer);
        book_outcome(next, result, answer);
        return 0;
    });
    result.transaction = std::move(answer.transaction);
    bool kept = guarded(ngx_cycle->log, false, [&] {
        change_claim(next, result);
        return true;
    });
    if (!kept) {
        result = SettlementResult();
        result.asked = &endpoint_->conf();
        next = step(state_, result.event);
        change_store_claim(ClaimChange::unknown);
    }
    result_ = std::move(result);
    if (!kept || !secures(next)) {
        end(next);
    }
}

}  // namespace x402
