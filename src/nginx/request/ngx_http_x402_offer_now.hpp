// SPDX-License-Identifier: Apache-2.0
// The offer of this moment: what a location sells, with the variables of the
// request evaluated and with what facilitators and plans add.
#ifndef NGX_HTTP_X402_OFFER_NOW_HPP
#define NGX_HTTP_X402_OFFER_NOW_HPP

#include "nginx/offer/ngx_http_x402_offer.hpp"

namespace x402 {

enum class OfferState {
    made,
    free,     // the price is the word "free"
    failed,   // a value is unusable; logged, nothing may be sold
    unready,  // the facilitator's part is not known yet
    waiting,  // the same, and its answer is expected
};

// What the location offers to this request, and the 402 with it, if variables
// or a facilitator had a part in the offer and nothing but the URL and the
// method can differ.
struct OfferNow {
    std::shared_ptr<const PaymentOffer> offer;
    std::shared_ptr<const PreparedAnswer> prepared;
};
OfferState offer_now(ngx_http_request_t *r, const LocationConf &conf,
                     OfferNow &now);
// The offer alone.
OfferState offer_now(ngx_http_request_t *r, const LocationConf &conf,
                     std::shared_ptr<const PaymentOffer> &offer);

}  // namespace x402

#endif
