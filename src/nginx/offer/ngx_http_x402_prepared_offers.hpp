// SPDX-License-Identifier: Apache-2.0
// The offer to unpaid requests, as far as it is the same for all of them.
#ifndef NGX_HTTP_X402_PREPARED_OFFERS_HPP
#define NGX_HTTP_X402_PREPARED_OFFERS_HPP

#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

}  // namespace x402

#endif
