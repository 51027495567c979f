// SPDX-License-Identifier: Apache-2.0
#include "nginx/request/ngx_http_x402_made_offers.hpp"

#include <functional>

namespace x402 {

std::size_t MadeOffers::place_of(const LocationOffer &location,
                                 std::string_view values)
{
    std::size_t hash =
        std::hash<std::string_view>()(values)
        ^ std::hash<const void *>()(&location) / sizeof(location);
    return hash % kPlaces;
}

std::shared_ptr<const PaymentOffer>
MadeOffers::find(const LocationOffer &location, std::string_view values) const
{
    const Place &place = places_[place_of(location, values)];
    return place.location == &location && place.values == values ? place.offer
                                                                 : nullptr;
}

void MadeOffers::keep(const LocationOffer &location, std::string values,
                      std::shared_ptr<const PaymentOffer> offer)
{
    std::size_t place = place_of(location, values);
    places_[place] = {&location, std::move(values), std::move(offer)};
}

}  // namespace x402
