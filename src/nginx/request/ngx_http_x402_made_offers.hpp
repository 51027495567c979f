// SPDX-License-Identifier: Apache-2.0
// Offers that a worker made of the values of variables. The same few prices
// come again and again: an offer is made once for each.
#ifndef NGX_HTTP_X402_MADE_OFFERS_HPP
#define NGX_HTTP_X402_MADE_OFFERS_HPP

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nginx/offer/ngx_http_x402_offer.hpp"
#include "nginx/offer/ngx_http_x402_prepared_offers.hpp"

namespace x402 {

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
