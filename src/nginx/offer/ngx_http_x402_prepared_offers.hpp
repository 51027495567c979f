// SPDX-License-Identifier: Apache-2.0
// The offer to unpaid requests, as far as it is the same for all of them.
#ifndef NGX_HTTP_X402_PREPARED_OFFERS_HPP
#define NGX_HTTP_X402_PREPARED_OFFERS_HPP

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "nginx/offer/ngx_http_x402_offer.hpp"
#include "protocol/prepared_offer.hpp"
#include "protocol/prepared_text.hpp"

namespace x402 {

// The method of most unpaid requests. What names the method is prepared for
// this one.
constexpr std::string_view kPreparedMethod = "GET";

// Made with the configuration, const afterwards.
struct PreparedOffers {
    // For each of the dialects; nullopt: it has no header for an offer.
    std::vector<std::optional<PreparedOffer>> headers;
    bool headers_vary = false;  // an extension names the method
    // The JSON of the first dialect that puts its offer there, with the method;
    // nullopt: none does, or it has more differences than the URL.
    std::optional<PreparedText> body;
};

// The same for an offer that variables made, with the body that names it where
// the dialects write none.
struct PreparedAnswer {
    PreparedOffers offers;
    std::string body;
};

// Fills conf.prepared if the offer varies in its URL and the request method
// only. False: no memory.
bool prepare_offers(ngx_conf_t *cf, LocationConf &conf);
// The same for an offer that variables made, in a worker. nullptr: more than
// the URL and the method can differ.
std::shared_ptr<const PreparedAnswer> prepare_answer(const LocationConf &conf,
                                                     const PaymentOffer &offer);

// Many locations ask for the same: what their offers are made of is then made
// once for all of them. Each location keeps its own LocationOffer, because its
// address says which location it is.

// Of one configuration: what made them first, by a hash of everything that goes
// into them. What has the same hash is compared.
struct SharedOffers {
    std::unordered_multimap<std::size_t, const LocationOffer *> offers;
    std::unordered_multimap<std::size_t, const LocationConf *> prepared;
};

// nullptr: no memory.
SharedOffers *shared_offers(ngx_conf_t *cf);

// The options of the constant terms; those with variables are checked as far as
// possible. nullptr: an error was printed, or memory ran out.
std::shared_ptr<const PaymentOffer>
constant_options(ngx_conf_t *cf, const LocationOffer &location);

}  // namespace x402

#endif
