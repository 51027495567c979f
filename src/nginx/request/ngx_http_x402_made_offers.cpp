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

MadeOffers::Made *MadeOffers::find(const LocationOffer &location,
                                   std::string_view values)
{
    Made &made = places_[place_of(location, values)];
    return made.location == &location && made.values == values ? &made
                                                               : nullptr;
}

void MadeOffers::keep(const LocationOffer &location, std::string values,
                      std::shared_ptr<const PaymentOffer> offer)
{
    Made &made = places_[place_of(location, values)];
    made = Made();
    made.location = &location;
    made.values = std::move(values);
    made.offer = std::move(offer);
}

}  // namespace x402
