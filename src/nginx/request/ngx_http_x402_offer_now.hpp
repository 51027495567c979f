// SPDX-License-Identifier: Apache-2.0
// The offer of this moment: what a location sells, with the variables of the
// request evaluated and with what facilitators and plans add.
#ifndef NGX_HTTP_X402_OFFER_NOW_HPP
#define NGX_HTTP_X402_OFFER_NOW_HPP

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nginx/offer/ngx_http_x402_offer.hpp"
#include "nginx/offer/ngx_http_x402_prepared_offers.hpp"

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

// Offers that a worker made of the values of variables. The same few prices
// come again and again: an offer is made once for each.
class MadeOffers {
public:
    MadeOffers() : places_(kPlaces) {}

    struct Made {
        const LocationOffer *location = nullptr;
        std::string values;
        std::shared_ptr<const PaymentOffer> offer;
        // What its second request prepared for a location, and the later ones
        // are answered with; nullptr: it cannot be.
        const LocationConf *prepared_for = nullptr;
        std::shared_ptr<const PreparedAnswer> prepared;
    };

    // What `values` made there; nullptr: it is to be made. Lifetime: until the
    // next keep().
    Made *find(const LocationOffer &location, std::string_view values);
    // Takes the place of another one.
    void keep(const LocationOffer &location, std::string values,
              std::shared_ptr<const PaymentOffer> offer);

private:
    // An offer takes 2 KB as a rule, and as much again once it is prepared.
    static constexpr std::size_t kPlaces = 256;

    static std::size_t place_of(const LocationOffer &location,
                                std::string_view values);

    std::vector<Made> places_;
};

}  // namespace x402

#endif
