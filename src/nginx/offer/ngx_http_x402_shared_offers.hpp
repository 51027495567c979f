// SPDX-License-Identifier: Apache-2.0
// Many locations ask for the same: what their offers are made of is then made
// once for all of them. Each location keeps its own LocationOffer, because its
// address says which location it is.
#ifndef NGX_HTTP_X402_SHARED_OFFERS_HPP
#define NGX_HTTP_X402_SHARED_OFFERS_HPP

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "nginx/offer/ngx_http_x402_offer.hpp"
#include "nginx/offer/ngx_http_x402_prepared_offers.hpp"

namespace x402 {

// Of one configuration, by everything that goes into them.
struct SharedOffers {
    std::unordered_map<std::string, std::shared_ptr<const PaymentOffer>> offers;
    std::unordered_map<std::string, const PreparedOffers *> prepared;
};

// nullptr: no memory.
SharedOffers *shared_offers(ngx_conf_t *cf);

// Appends a text so that no two rows of texts become the same one.
void append_part(std::string &key, std::string_view text);

// The options of the constant terms; those with variables are checked as far as
// possible. nullptr: an error was printed, or memory ran out.
std::shared_ptr<const PaymentOffer>
constant_options(ngx_conf_t *cf, const LocationOffer &location);

}  // namespace x402

#endif
