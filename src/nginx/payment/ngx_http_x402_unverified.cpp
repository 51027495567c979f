// SPDX-License-Identifier: Apache-2.0
#include "nginx/payment/ngx_http_x402_unverified.hpp"

#include "nginx/payment/ngx_http_x402_content_deadline.hpp"
#include "nginx/payment/ngx_http_x402_payer_check.hpp"
#include "policy/evm_payment_signature.hpp"
#include "session/payment_order.hpp"

namespace x402 {

namespace {

static_assert(static_cast<ngx_uint_t>(VerifyMode::trusted)
                      == NGX_HTTP_X402_VERIFY_TRUSTED
                  && static_cast<ngx_uint_t>(VerifyMode::off)
                         == NGX_HTTP_X402_VERIFY_OFF,
              "the words of x402_verify are in the order of VerifyMode");

bool may_serve(RequestCtx &ctx, Worker &worker)
{
    const Payment &payment = *ctx.payment;
    auto mode = static_cast<VerifyMode>(ctx.quote.conf->verify);
    // Rules about payers need to know the payer.
    if (mode == VerifyMode::remote || payment.settles != SettleTime::after
        || has_payer_rules(*ctx.quote.conf)
        || !may_serve_unverified(*LockedClaims(worker.zone), payment.facts,
                                 payment.name.has_value(), mode, ngx_time())) {
        return false;
    }
    return mode == VerifyMode::off
           || is_signed_by_payer(payment.payload.payload(), payment.scheme,
                                 payment.option->requirements);
}

}  // namespace

bool serve_unverified(RequestCtx &ctx, Worker &worker, Endpoint &endpoint)
{
    if (!may_serve(ctx, worker)) {
        return false;
    }
    // The place in the client's share of unverified payments stays in use. No
    // payer has a share: anyone could use that of another.
    const Digest &no_payer = ctx.payment->facts.key;
    if (!ctx.slot.wait_for_content(client_name(ctx.r->connection), no_payer,
                                   ctx.quote.conf->max_calls)) {
        return false;
    }
    bool on_record = ctx.quote.conf->verify == NGX_HTTP_X402_VERIFY_TRUSTED;
    if (!LockedClaims(worker.zone)
             ->set_served_unverified(ctx.payment->claim, on_record)) {
        return false;
    }
    ctx.asked = &endpoint.conf();
    advance(ctx, PaymentEvent::claim_taken_to_serve);
    arm_content_deadline(ctx);
    return true;
}

}  // namespace x402
