#include "nginx/request/ngx_http_x402_price_grace.hpp"

#include "nginx/request/ngx_http_x402_offer_supported.hpp"

namespace x402 {

namespace {

// The way keeps its offer alive through the context.
const PaymentOffer::Option *find_in(RequestCtx &ctx,
                                    const std::vector<OldOffer> &offers,
                                    const PaymentPayload &payload)
{
    for (const OldOffer &old : offers) {
        if (old.until <= ngx_time() || !old.offer) {
            continue;
        }
        const auto *option = ctx.quote.dialect->match(*old.offer, payload);
        if (option && !peers_of(ctx, *option).empty()) {
            ctx.quote.older_offer = old.offer;
            return option;
        }
    }
    return nullptr;
}

// What reloads replaced, with what facilitators add to it now.
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

}  // namespace

const PaymentOffer::Option *find_option(RequestCtx &ctx,
                                        const PaymentPayload &payload)
{
    const auto *option = ctx.quote.dialect->match(*ctx.quote.offer, payload);
    if (option != nullptr) {
        return option;
    }
    Worker *worker = worker_of(main_conf(ctx.r));
    const auto *before =
        worker ? offers_before(*worker, *ctx.quote.conf) : nullptr;
    if (before != nullptr) {
        option = find_in(ctx, *before, payload);
    }
    if (option == nullptr && worker != nullptr) {
        option = find_in(ctx, replaced_offers(ctx, *worker), payload);
    }
    return option;
}

}  // namespace x402
