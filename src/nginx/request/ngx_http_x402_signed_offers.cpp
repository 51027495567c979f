// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_signed_offers.hpp"

#include <functional>

#include "base/json_text.hpp"
#include "nginx/core/ngx_http_x402_complex_value.hpp"
#include "nginx/core/ngx_http_x402_log.hpp"
#include "nginx/offer/ngx_http_x402_extensions.hpp"
#include "nginx/offer/ngx_http_x402_signing.hpp"
#include "nginx/request/ngx_http_x402_quote.hpp"

namespace x402 {

// What one worker signed in this second.
class SignedOffers {
public:
    SignedOffers() : places_(kPlaces) {}

    // Lifetime: until the next call.
    const std::string &of(const OfferSigner &signer, std::string_view url,
                          const std::shared_ptr<const PaymentOffer> &offer,
                          std::int64_t now, ngx_log_t *log)
    {
        std::size_t hash = std::hash<std::string_view>()(url)
                           ^ std::hash<const void *>()(offer.get());
        Place &place = places_[hash % kPlaces];
        if (place.signer == &signer && place.second == now
            && place.offer == offer && place.url == url) {
            return place.text;
        }
        auto made = signed_offers(signer, url, *offer, now);
        if (!made) {
            log_line(NGX_LOG_ERR, log,
                     "an offer could not be signed: no memory; it is sent "
                     "without a signature");
        }
        place = {&signer, now, offer, std::string(url), made.value_or("")};
        return place.text;
    }

private:
    // Each takes 1 to 3 KB.
    static constexpr std::size_t kPlaces = 128;

    struct Place {
        const OfferSigner *signer = nullptr;
        std::int64_t second = 0;
        std::shared_ptr<const PaymentOffer> offer;
        std::string url;
        std::string text;
    };
    std::vector<Place> places_;
};

namespace {

// The key that signs for this request; nullptr: this location has none, or the
// client has named a host that is not this server's.
const OfferSigner *signer_for(const RequestCtx &ctx)
{
    const LocationConf &conf = *ctx.quote.conf;
    const OfferSigner *signer = signer_of(conf);
    bool own = signer
               && (has_written_origin(conf.resource)
                   || is_own_name(*conf.server_names, host_of(ctx.r)));
    return own ? signer : nullptr;
}

}  // namespace

std::string extensions_of_offer(RequestCtx &ctx)
{
    std::string text = extensions_json(*ctx.quote.conf, ctx.r);
    const OfferSigner *signer = signer_for(ctx);
    bool offers = signer && !ctx.quote.offer->options().empty();
    Worker *worker = offers ? worker_of(main_conf(ctx.r)) : nullptr;
    if (worker == nullptr) {
        return text;
    }
    if (!worker->signed_offers) {
        worker->signed_offers = std::make_shared<SignedOffers>();
    }
    return with_extension(std::move(text), kOfferReceipt,
                          worker->signed_offers->of(
                              *signer, ctx.quote.resource_url, ctx.quote.offer,
                              ngx_time(), ctx.r->connection->log));
}

const std::string &receipt_of_answer(RequestCtx &ctx,
                                     const std::string &receipt,
                                     std::string &room)
{
    const OfferSigner *signer = signer_for(ctx);
    if (signer == nullptr || !ctx.quote.dialect->carries_extensions()) {
        return receipt;
    }
    auto jws =
        sign_receipt(*signer, receipt, ctx.quote.resource_url, ngx_time());
    if (!jws) {
        return receipt;
    }
    ctx.trace.signed_receipt = *jws;
    room = with_signed_receipt(receipt, *jws);
    return room;
}

}  // namespace x402
