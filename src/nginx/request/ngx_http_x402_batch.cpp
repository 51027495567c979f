// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_batch.hpp"

#include <algorithm>

#include "base/decimal_amount.hpp"
#include "policy/supported_extra.hpp"

namespace x402 {

namespace {

ngx_uint_t variable_count(ngx_http_request_t *r)
{
    auto *cmcf = static_cast<ngx_http_core_main_conf_t *>(
        ngx_http_get_module_main_conf(r, ngx_http_core_module));
    return cmcf->variables.nelts;
}

bool same_receiver(const PaymentRequirements &left,
                   const PaymentRequirements &right)
{
    return left.scheme == right.scheme && left.network == right.network
           && left.asset == right.asset && left.pay_to == right.pay_to
           && left.plan == right.plan && left.agent == right.agent;
}

}  // namespace

bool has_batch(const RequestCtx &ctx)
{
    return ctx.trace.body_document
           && ctx.trace.body_document->root().is_array();
}

std::uint32_t count_requests(const RequestCtx &ctx)
{
    std::size_t size =
        has_batch(ctx) ? ctx.trace.body_document->root().size() : 1;
    return static_cast<std::uint32_t>(std::max<std::size_t>(size, 1));
}

bool add_prices(const PaymentOffer &offer,
                std::shared_ptr<const PaymentOffer> &sum)
{
    auto added = std::make_shared<PaymentOffer>();
    for (std::size_t i = 0; i < offer.options().size(); i++) {
        const PaymentOffer::Option &option = offer.options()[i];
        auto copied = with_supported_extra(option.requirements, JsonValue());
        if (!copied) {
            return false;
        }
        if (sum) {
            const PaymentRequirements &before = sum->options()[i].requirements;
            auto amount = add_atomic_amounts(before.amount, copied->amount);
            if (!amount || !same_receiver(before, copied.value())) {
                return false;
            }
            copied->amount = *amount;
        }
        added->add(std::move(copied.value()), option.term);
    }
    sum = std::move(added);
    return true;
}

VariableCacheReset::VariableCacheReset(ngx_http_request_t *r) : r_(r)
{
    ngx_uint_t count = variable_count(r);
    known_.resize(count);
    for (ngx_uint_t i = 0; i < count; i++) {
        known_[i] = r->variables[i].valid || r->variables[i].not_found;
    }
}

VariableCacheReset::~VariableCacheReset()
{
    for (ngx_uint_t i = 0; i < known_.size(); i++) {
        if (!known_[i]) {
            r_->variables[i].valid = 0;
            r_->variables[i].not_found = 0;
        }
    }
}

}  // namespace x402
