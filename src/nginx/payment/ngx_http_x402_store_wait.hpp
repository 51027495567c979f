// SPDX-License-Identifier: Apache-2.0
// A payment that waits for the store of several machines (x402_store): what the
// store says of it before this machine verifies, delivers or asks about
// anything.
#ifndef NGX_HTTP_X402_STORE_WAIT_HPP
#define NGX_HTTP_X402_STORE_WAIT_HPP

#include "nginx/payment/ngx_http_x402_facilitator_peers.hpp"
#include "nginx/request/ngx_http_x402_ctx.hpp"

namespace x402 {

// The claim is taken on this machine; asks the store for it (TAKE) and goes on
// with `peer` once it is granted, or answers from what the store knows.
void take_from_store(RequestCtx &ctx, const PeerChoice &peer);

// This machine cannot take the payment: no facilitator answers, or it is
// refused by the offer (`refused`), say because it is too old. Asks the store
// whether another machine knows it. What that knows answers as on one machine;
// if it knows nothing, continue_payment() runs again.
void look_in_store(RequestCtx &ctx, bool refused);

// Content is owed, or the outcome unknown, as far as this machine knows: asks
// the store for the claim (RESUME), and continues as without a store.
void resume_from_store(RequestCtx &ctx, const ClaimView &claim);

// The payment of this request is verified, and its payer may have an older one
// here. True: the store is asked for that; accept_valid_payment() runs again.
bool ask_store_for_older(RequestCtx &ctx, Worker &worker);

// The payment of this request is verified, and its identifier is free on this
// machine. True: the store is asked whether it is free on all of them, and
// accept_named_payment() runs then.
bool ask_store_for_name(RequestCtx &ctx);

// The payment of this request is verified, and may have the claim that it
// disputes (Payment.disputed_claim) on this machine: asks the store for it
// (TAKEOVER), and continues with settle_taken_over().
void ask_store_for_takeover(RequestCtx &ctx);

}  // namespace x402

#endif
