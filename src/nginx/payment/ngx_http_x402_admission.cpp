// SPDX-License-Identifier: Apache-2.0
#include "nginx/payment/ngx_http_x402_admission.hpp"

#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/payment/ngx_http_x402_payment_answer.hpp"
#include "nginx/reply/ngx_http_x402_reply.hpp"

namespace x402 {

Admission::Admission(RequestCtx &ctx, Worker &worker, AdmissionKind kind)
    : worker_(worker)
{
    ngx_uint_t cap = ctx.quote.conf->max_calls;
    bool unverified = kind == AdmissionKind::payment;
    if (unverified) {
        peer_ = choose_peer(ctx, worker);
        if (peer_.endpoint == nullptr) {
            denied_ = Denied::facilitator;
            return;
        }
    }
    if (!Slot::available(worker, cap, kind == AdmissionKind::resettle)) {
        denied_ = Denied::slots;
        return;
    }
    if (unverified) {
        place_ = QuotaSlot(worker.addresses, ctx.r->connection, cap);
        denied_ = place_ ? Denied::no : Denied::share;
    }
}

void Admission::refuse(RequestCtx &ctx) const
{
    ngx_log_t *log = ctx.r->connection->log;
    switch (denied_) {
    case Denied::no:
    case Denied::facilitator:
        return;  // answered by choose_peer()
    case Denied::slots:
        log_seldom(NGX_LOG_WARN, log,
                   "too many payments in flight; raise "
                   "x402_facilitator_max_calls or check why the facilitator "
                   "or the backend is slow");
        break;
    case Denied::share:
        log_line(NGX_LOG_INFO, log,
                 "the client reached its share of unverified and waiting "
                 "payments, a quarter of x402_facilitator_max_calls; raise "
                 "that, or use the realip module if the client is a proxy");
        break;
    }
    decide(ctx, busy_answer(kRetryInFlight));
}

void Admission::begin(RequestCtx &ctx)
{
    ctx.slot = Slot(worker_, std::move(place_));
    peer_.use();
}

}  // namespace x402
