// SPDX-License-Identifier: Apache-2.0
#include "nginx/payment/ngx_http_x402_facilitator_peers.hpp"

#include <algorithm>

#include "base/canonical_json.hpp"
#include "facilitator/settle_reasons.hpp"
#include "nginx/call/ngx_http_x402_endpoint.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/payment/ngx_http_x402_payment.hpp"
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"
#include "nginx/payment/ngx_http_x402_verify.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"
#include "nginx/request/ngx_http_x402_offer_supported.hpp"

namespace x402 {

namespace {

// The next of ctx.payment->others that is available; nullptr: none.
Endpoint *next_to_verify(RequestCtx &ctx, Worker &worker)
{
    auto &others = ctx.payment->others;
    while (!others.empty()) {
        Endpoint &next = worker.endpoint_of(*others.front());
        others.erase(others.begin());
        auto advice = next.health.advice(ngx_current_msec);
        if (advice.action == BreakerAction::proceed) {
            if (advice.probe) {
                next.health.begin_probe(ngx_current_msec);
            }
            return &next;
        }
    }
    return nullptr;
}

// The version of x402 in which it is asked about this payment option.
unsigned version_for(const RequestCtx &ctx, const FacilitatorConf &asked)
{
    unsigned version = ctx.quote.dialect->version();
    Worker *worker = worker_of(main_conf(ctx.r));
    return worker ? version_to_ask(*worker, asked,
                                   ctx.payment->option->requirements, version)
                  : version;
}

// Payment with signature, requirement and facilitator, in one number. The
// exact spelling: for some schemes the case of letters is the message.
Digest refusal_key(const RequestCtx &ctx, const FacilitatorConf &facilitator)
{
    return sha256(canonical_json(ctx.payment->payload.payload()) + '\n'
                  + ctx.payment->option->json + '\n'
                  + std::to_string(ctx.quote.dialect->version()) + ' '
                  + std::to_string(facilitator.index));
}

bool was_refused(RequestCtx &ctx, Worker &worker,
                 const FacilitatorConf &facilitator)
{
    if (worker.refusals.is_empty(ngx_time())) {
        return false;
    }
    std::string reason(
        worker.refusals.find(refusal_key(ctx, facilitator), ngx_time()));
    if (reason.empty()) {
        return false;
    }
    refuse_payment(ctx, std::move(reason));
    return true;
}

// The first that is available, else the first that answers; nullptr: none does.
PeerChoice first_of(Worker &worker, const FacilitatorPeers &peers)
{
    PeerChoice choice;
    for (const FacilitatorConf *peer : peers) {
        Endpoint &endpoint = worker.endpoint_of(*peer);
        auto advice = endpoint.health.advice(ngx_current_msec);
        if (advice.action == BreakerAction::proceed) {
            return {&endpoint, false, advice.probe};
        }
        if (advice.action == BreakerAction::settle_first
            && choice.endpoint == nullptr) {
            choice = {&endpoint, true, false};
        }
    }
    return choice;
}

// 503: the breaker is open.
OwnReply closed_answer()
{
    OwnReply answer = fault_answer(kFacilitatorUnavailable);
    answer.retry_after = FacilitatorHealth::kProbeEvery / 1000;
    return answer;
}

}  // namespace

PeerChoice choose_peer(RequestCtx &ctx, Worker &worker)
{
    FacilitatorPeers few;
    const FacilitatorPeers &peers = peers_of(ctx, *ctx.payment->option, few);
    PeerChoice choice = first_of(worker, peers);
    if (choice.endpoint == nullptr) {
        decide(ctx, closed_answer());
        return choice;
    }
    const FacilitatorConf &chosen = choice.endpoint->conf();
    if (was_refused(ctx, worker, chosen)) {
        return {};
    }
    // Before content it is not known how much of a maximum is to be settled.
    if (ctx.payment->settles == SettleTime::off
        || ctx.payment->payload.scheme() == "upto") {
        choice.settle_first = false;
    }
    if (&chosen != facilitator_of(ctx, *ctx.payment->option)) {
        build_request(ctx, chosen);
    }
    FacilitatorPeers &others = ctx.payment->others;
    others.clear();
    std::copy_if(peers.begin(), peers.end(), std::back_inserter(others),
                 [&](const FacilitatorConf *peer) { return peer != &chosen; });
    return choice;
}

bool has_peer(const RequestCtx &ctx, Worker &worker)
{
    FacilitatorPeers few;
    return first_of(worker, peers_of(ctx, *ctx.payment->option, few)).endpoint
           != nullptr;
}

void build_request(RequestCtx &ctx, const FacilitatorConf &asked)
{
    Payment &payment = *ctx.payment;
    payment.asked_version = version_for(ctx, asked);
    payment.request_body = request_of(ctx, *payment.option);
}

std::vector<Endpoint *> others_to_settle(const RequestCtx &ctx, Worker &worker)
{
    std::vector<Endpoint *> others;
    const auto &all = peers_of(*ctx.quote.conf, ctx.payment->option->term);
    if (all.size() == 1 && all.front() == ctx.asked) {
        return others;
    }
    // Peers that could not even be asked to verify come last.
    FacilitatorPeers few;
    for (FacilitatorConf *other : peers_of(ctx, *ctx.payment->option, few)) {
        // The request has been built already.
        if (other != ctx.asked
            && version_for(ctx, *other) == ctx.payment->asked_version) {
            others.push_back(&worker.endpoint_of(*other));
        }
    }
    return others;
}

VerifyAnswer take_verdict(RequestCtx &ctx, const FacilitatorReply &reply)
{
    VerifyAnswer verdict;
    ngx_log_t *log = ctx.r->connection->log;
    guarded(log, 0, [&] {
        verdict = read_verify_answer(reply);
        if (Worker *worker = worker_of(main_conf(ctx.r))) {
            record_health(worker->endpoint_of(*ctx.asked), Operation::verify,
                          call_health(reply, verdict), ctx.payment->facts.payer,
                          log);
        }
        return 0;
    });
    return verdict;
}

bool verify_elsewhere(RequestCtx &ctx, const FacilitatorReply &reply,
                      const VerifyAnswer &answer)
{
    if (!verify_may_move(reply)) {
        return false;
    }
    ngx_log_t *log = ctx.r->connection->log;
    return guarded(log, false, [&] {
        Worker *worker = worker_of(main_conf(ctx.r));
        Endpoint *next = worker ? next_to_verify(ctx, *worker) : nullptr;
        if (next == nullptr) {
            return false;
        }
        log_line(NGX_LOG_WARN, log,
                 "verify at facilitator \"" + ctx.asked->url.base()
                     + "\" failed: " + answer.detail + "; asking \""
                     + next->conf().url.base() + "\"");
        build_request(ctx, next->conf());
        begin_verify(ctx, *next, *ctx.verify_rules);
        return true;
    });
}

void remember_refusal(const RequestCtx &ctx, const std::string &reason)
{
    Worker *worker = worker_of(main_conf(ctx.r));
    bool known = worker && ctx.asked && ctx.payment && ctx.payment->option;
    if (known && is_lasting_reason(reason)) {
        worker->refusals.remember(refusal_key(ctx, *ctx.asked), reason,
                                  ngx_time());
    }
}

}  // namespace x402
