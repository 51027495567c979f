// SPDX-License-Identifier: Apache-2.0
#include "nginx/worker/ngx_http_x402_shadow_call.hpp"

#include "base/text_excerpt.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "policy/refusal_words.hpp"

namespace x402 {

namespace {

struct Verdict {
    LedgerEventKind kind;
    std::string_view reason;
};

Verdict verdict_of(const VerifyAnswer &answer)
{
    switch (answer.verdict) {
    case VerifyVerdict::valid:
        return {LedgerEventKind::would_charge, {}};
    case VerifyVerdict::invalid:
        return {LedgerEventKind::would_refuse, answer.reason};
    case VerifyVerdict::timed_out:
        return {LedgerEventKind::would_refuse, kFacilitatorTimeout.word};
    case VerifyVerdict::rate_limited:
        return {LedgerEventKind::would_refuse, kBusy.word};
    case VerifyVerdict::broken:
    case VerifyVerdict::operator_fault:
        break;
    }
    return {LedgerEventKind::would_refuse, kFacilitatorFailed.word};
}

LabelCounter counter_of(LedgerEventKind kind)
{
    switch (kind) {
    case LedgerEventKind::would_challenge:
        return LabelCounter::would_challenge;
    case LedgerEventKind::would_charge:
        return LabelCounter::would_charge;
    default:
        break;
    }
    return LabelCounter::would_refuse;
}

}  // namespace

void book_shadow(const MoneyBooks &money, LedgerEventKind kind,
                 const LedgerFacts &facts, const EventWords &words,
                 std::string_view resource)
{
    money.books->count(money.label, counter_of(kind));
    write_event(*money.books, money.ledger, kind, money.payment, facts, words);
    std::string reason = log_excerpt(std::string(words.reason));
    log_line(NGX_LOG_INFO, ngx_cycle->log,
             std::string("x402 shadow, nothing is charged: ")
                 + ledger_event_name(kind)
                 + (reason.empty() ? "" : ", reason: \"" + reason + "\"")
                 + ", amount: \"" + std::string(facts.amount)
                 + "\", network: \"" + std::string(facts.network)
                 + "\", resource: \"" + log_excerpt(std::string(resource))
                 + "\"");
}

ShadowCall::ShadowCall(Worker &worker, ShadowTerms terms)
    : worker_(worker),
      terms_(std::move(terms)),
      place_(worker.shadow_calls.size())
{
    worker.shadow_calls.push_back(this);
}

ShadowCall::~ShadowCall()
{
    auto &calls = worker_.shadow_calls;
    calls.back()->place_ = place_;
    calls[place_] = calls.back();
    calls.pop_back();
}

void ShadowCall::start(Worker &worker, ShadowTerms terms)
{
    auto *made = new ShadowCall(worker, std::move(terms));
    bool sent = guarded(ngx_cycle->log, false, [&] {
        made->send();
        return true;
    });
    if (!sent) {
        made->abandon();
    }
}

void ShadowCall::abandon()
{
    if (call_) {
        call_->cancel();
    }
    delete this;
}

void ShadowCall::send()
{
    CallTerms call;
    call.operation = Operation::verify;
    call.body = terms_.peers[peer_].second;
    call.connect_timeout = terms_.connect_timeout;
    call.timeout = terms_.timeout;
    call_ = FacilitatorCall::start(*terms_.peers[peer_].first, std::move(call),
                                   on_reply, this);
}

// As a payment that is sold moves to the next of the group.
bool ShadowCall::moves(const FacilitatorReply &reply)
{
    if (peer_ + 1 == terms_.peers.size() || !verify_may_move(reply)) {
        return false;
    }
    peer_++;
    send();
    return true;
}

void ShadowCall::book(const VerifyAnswer &answer) const
{
    Verdict verdict = verdict_of(answer);
    if (verdict.kind == LedgerEventKind::would_charge && !terms_.charged) {
        return;  // content of that status is free
    }
    const Endpoint &asked = *terms_.peers[peer_].first;
    std::string facilitator = asked.conf().url.base();
    LedgerFacts facts = terms_.money.unpacked();
    facts.verify_ms = ngx_current_msec - started_;
    if (!answer.payer.empty()) {
        facts.payer = answer.payer;
    }
    EventWords words;
    words.facilitator = facilitator;
    words.reason = verdict.reason;
    book_shadow(terms_.money, verdict.kind, facts, words, terms_.resource);
}

void ShadowCall::on_reply(void *data, FacilitatorReply &reply)
{
    auto *self = static_cast<ShadowCall *>(data);
    self->call_ = nullptr;
    bool goes_on = guarded(ngx_cycle->log, false, [&] {
        if (self->moves(reply)) {
            return true;
        }
        self->book(self->terms_.read_answer(reply));
        return false;
    });
    if (!goes_on) {
        delete self;
    }
}

}  // namespace x402
