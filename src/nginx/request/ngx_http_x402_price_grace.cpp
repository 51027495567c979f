// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_price_grace.hpp"

#include "base/decimal_amount.hpp"
#include "nginx/request/ngx_http_x402_batch.hpp"
#include "nginx/request/ngx_http_x402_offer_supported.hpp"
#include "policy/claim_key.hpp"

namespace x402 {

namespace {

// The offers that reloads replaced, with what facilitators add to them now.
std::vector<OldOffer> replaced_offers(const RequestCtx &ctx, Worker &worker)
{
    std::vector<OldOffer> offers = ctx.quote.location->old_offers;
    if (ctx.quote.location->with_supported) {
        for (OldOffer &old : offers) {
            old.offer = with_supported(worker, *ctx.quote.conf, *old.offer);
        }
    }
    return offers;
}

std::vector<OldOffer> offers_elsewhere(const RequestCtx &ctx, Worker &worker)
{
    std::vector<OldOffer> offers;
    if (auto offer = offered_elsewhere(worker, *ctx.quote.conf)) {
        offers.push_back({std::move(offer), ngx_time() + 1});
    }
    return offers;
}

// The first option that `choose` takes out of an offer, and the offer: the
// present one, else an older one that is still valid. nullptr: none.
template <class Choose>
const PaymentOffer::Option *
find_offered(RequestCtx &ctx, Choose choose,
             std::shared_ptr<const PaymentOffer> &offer)
{
    offer = ctx.quote.offer;
    if (const auto *option = choose(*offer)) {
        return option;
    }
    Worker *worker = worker_of(main_conf(ctx.r));
    // Money: the sum of a batch was never the price of one request.
    if (worker == nullptr || has_batch(ctx)) {
        return nullptr;
    }
    const auto *before = offers_before(*worker, *ctx.quote.conf);
    for (const auto &offers :
         {before ? *before : std::vector<OldOffer>(),
          replaced_offers(ctx, *worker), offers_elsewhere(ctx, *worker)}) {
        for (const OldOffer &old : offers) {
            if (old.until <= ngx_time() || !old.offer) {
                continue;
            }
            const auto *option = choose(*old.offer);
            FacilitatorPeers few;
            if (option && !peers_of(ctx, *option, few).empty()) {
                offer = old.offer;
                return option;
            }
        }
    }
    return nullptr;
}

}  // namespace

const PaymentOffer::Option *find_option(RequestCtx &ctx,
                                        const PaymentPayload &payload)
{
    std::shared_ptr<const PaymentOffer> offer;
    const auto *option = find_offered(
        ctx,
        [&](const PaymentOffer &each) {
            return ctx.quote.dialect->match(each, payload);
        },
        offer);
    if (option != nullptr && offer != ctx.quote.offer) {
        ctx.quote.older_offer = std::move(offer);
    }
    return option;
}

void bind_option(ClaimBinding &binding, const PaymentOffer::Option &option)
{
    const Digest *terms = option.terms();
    binding.terms = terms ? *terms : terms_digest(option.requirements);
    binding.asked = binding.paid =
        atomic_amount_bytes(option.requirements.amount).value_or(AmountBytes());
}

bool is_bought_here(RequestCtx &ctx, const ClaimBinding &bought)
{
    Payment &payment = *ctx.payment;
    ClaimBinding wanted = payment.facts.binding;
    if (bought.resource != wanted.resource) {
        return false;  // saves the search; covers() would say so
    }
    payment.bought = find_offered(
        ctx,
        [&](const PaymentOffer &offer) -> const PaymentOffer::Option * {
            for (const auto &option : offer.options()) {
                bind_option(wanted, option);
                if (covers(bought, wanted)) {
                    return &option;
                }
            }
            return nullptr;
        },
        payment.bought_offer);
    payment.bought_binding = bought;
    return payment.bought != nullptr;
}

}  // namespace x402
