// SPDX-License-Identifier: Apache-2.0
// The ledgers of the places that sell, for an event that comes without its
// request and without a note of where its payment was booked: after a restart,
// or on another machine.
#ifndef NGX_HTTP_X402_PRICED_LOCATIONS_HPP
#define NGX_HTTP_X402_PRICED_LOCATIONS_HPP

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nginx/core/ngx_http_x402_conf.hpp"

namespace x402 {

// A location with a price.
struct PricedLocation {
    enum class Match { prefix, exact, unknown };

    ngx_uint_t label = 0;
    std::vector<std::string> servers;  // names
    std::string path;                  // as it is written
    Match match = Match::unknown;      // how it is chosen by its path
    bool by_default = false;           // no x402_ledger is written for it
    Ledger *ledger = nullptr;          // nullptr: off
};

class PricedLocations {
public:
    void add(PricedLocation place) { places_.push_back(std::move(place)); }
    // Of those without x402_ledger.
    void set_default(Ledger *ledger) { default_ = ledger; }

    // The one of all places with that label; nullopt: they differ, or there are
    // none.
    std::optional<Ledger *> of_label(ngx_uint_t label) const;
    // The one of the places that a URL may lead to. Where they differ, the
    // first that is not off. nullopt: it may lead to none.
    std::optional<Ledger *> of_resource(std::string_view url) const;

private:
    Ledger *ledger_of(const PricedLocation &place) const
    {
        return place.by_default ? default_ : place.ledger;
    }

    std::vector<PricedLocation> places_;
    Ledger *default_ = nullptr;
};

}  // namespace x402

#endif
