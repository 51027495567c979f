#include "nginx/request/ngx_http_x402_price_grace.hpp"

#include "nginx/request/ngx_http_x402_offer_supported.hpp"

namespace x402 {

namespace {

// The way keeps its offer alive through the context.
const PaymentOffer::Way *find_in(RequestCtx &ctx,
                                 const std::vector<OldOffer> &offers,
                                 const PaymentPayload &payload)
{
    for (const OldOffer &old : offers) {
        if (old.until <= ngx_time() || !old.offer) {
            continue;
        }
        const auto *way = ctx.dialect->match(*old.offer, payload);
        if (way && !members_of(ctx, *way).empty()) {
            ctx.older_offer = old.offer;
            return way;
        }
    }
    return nullptr;
}

// What reloads replaced, with what facilitators add to it now.
std::vector<OldOffer> replaced_offers(const RequestCtx &ctx, Worker &worker)
{
    std::vector<OldOffer> offers = ctx.location->old_offers;
    if (ctx.location->supplemented) {
        for (OldOffer &old : offers) {
            old.offer = supplemented(worker, *ctx.conf, *old.offer);
        }
    }
    return offers;
}

}  // namespace

const PaymentOffer::Way *find_way(RequestCtx &ctx,
                                  const PaymentPayload &payload)
{
    const auto *way = ctx.dialect->match(*ctx.offer, payload);
    if (way != nullptr) {
        return way;
    }
    Worker *worker = worker_of(main_conf(ctx.r));
    const auto *before = worker ? offers_before(*worker, *ctx.conf) : nullptr;
    if (before != nullptr) {
        way = find_in(ctx, *before, payload);
    }
    if (way == nullptr && worker != nullptr) {
        way = find_in(ctx, replaced_offers(ctx, *worker), payload);
    }
    return way;
}

}  // namespace x402
