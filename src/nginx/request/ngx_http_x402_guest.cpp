// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_guest.hpp"

#include "base/hex_codec.hpp"
#include "base/json_document.hpp"
#include "base/text_excerpt.hpp"
#include "policy/evm_address.hpp"

namespace x402 {

namespace {

bool has_transaction(const RequestCtx &ctx)
{
    auto receipt = JsonDocument::parse(ctx.receipt);
    return receipt && !receipt->root()["transaction"].string().empty();
}

}  // namespace

bool is_proven_sale(const RequestCtx &ctx)
{
    return ctx.payment && ctx.payment->facts.key != Digest{}
           && !ctx.never_settled && !ctx.receipt.empty()
           && (ctx.state() == PaymentState::delivering
               || ctx.state() == PaymentState::delivered)
           && has_transaction(ctx);
}

const ClaimBinding &sold_binding(const Payment &payment)
{
    return payment.resumed ? payment.bought_binding : payment.facts.binding;
}

std::int64_t settled_at(const RequestCtx &ctx)
{
    const Payment &payment = *ctx.payment;
    if (!payment.resumed || payment.settled_at == 0) {
        return ngx_time();
    }
    return payment.settled_at;
}

std::string proven_payer(const RequestCtx &ctx)
{
    const Payment &payment = *ctx.payment;
    auto named = parse_evm_address(payment.payer);
    if (!named) {
        named = parse_evm_address(payment.scheme.payer);
    }
    return named ? "0x" + hex_encode(named->data(), named->size())
                 : header_excerpt(payment.payer);
}

}  // namespace x402
