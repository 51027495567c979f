// SPDX-License-Identifier: Apache-2.0
#include "nginx/books/ngx_http_x402_priced_locations.hpp"

#include <algorithm>
#include <iterator>

namespace x402 {

namespace {

struct HostAndPath {
    std::string host;  // in small letters, without a port
    std::string_view path;
};

HostAndPath parts_of(std::string_view url)
{
    HostAndPath parts;
    std::size_t begin = url.find("://");
    if (begin == std::string_view::npos) {
        return parts;
    }
    std::string_view rest = url.substr(begin + 3);
    std::size_t slash = std::min(rest.find_first_of("/?#"), rest.size());
    std::string_view host = rest.substr(0, slash);
    std::size_t colon = host.find_last_of(":]");
    if (colon != std::string_view::npos && host[colon] == ':') {
        host = host.substr(0, colon);
    }
    for (char letter : host) {
        parts.host += static_cast<char>(ngx_tolower(letter));
    }
    parts.path = rest.substr(slash);
    parts.path = parts.path.substr(0, parts.path.find_first_of("?#"));
    return parts;
}

bool is_of(const PricedLocation &place, const std::string &host)
{
    return std::find(place.servers.begin(), place.servers.end(), host)
           != place.servers.end();
}

bool may_lead_to(const PricedLocation &place, std::string_view path)
{
    switch (place.match) {
    case PricedLocation::Match::exact:
        return path == place.path;
    case PricedLocation::Match::prefix:
        return path.substr(0, place.path.size()) == place.path;
    default:
        return true;
    }
}

// nginx: of prefixes in one server the longest is chosen.
bool is_hidden(const PricedLocation &place, const PricedLocation &other)
{
    return place.match == PricedLocation::Match::prefix
           && other.match != PricedLocation::Match::unknown
           && place.servers == other.servers
           && (place.path.size() < other.path.size()
               || (place.path.size() == other.path.size()
                   && other.match == PricedLocation::Match::exact));
}

using Found = std::vector<const PricedLocation *>;

Found without_hidden(const Found &found)
{
    Found shown;
    std::copy_if(found.begin(), found.end(), std::back_inserter(shown),
                 [&](const PricedLocation *place) {
                     return std::none_of(found.begin(), found.end(),
                                         [&](const PricedLocation *other) {
                                             return is_hidden(*place, *other);
                                         });
                 });
    return shown;
}

}  // namespace

std::optional<Ledger *> PricedLocations::of_label(ngx_uint_t label) const
{
    std::optional<Ledger *> found;
    for (const PricedLocation &place : places_) {
        if (place.label != label) {
            continue;
        }
        if (found && *found != ledger_of(place)) {
            return std::nullopt;
        }
        found = ledger_of(place);
    }
    return found;
}

std::optional<Ledger *> PricedLocations::of_resource(std::string_view url) const
{
    HostAndPath parts = parts_of(url);
    bool named = std::any_of(
        places_.begin(), places_.end(),
        [&](const PricedLocation &p) { return is_of(p, parts.host); });
    Found found;
    for (const PricedLocation &place : places_) {
        // Without a name that fits it may be any server's.
        if ((!named || is_of(place, parts.host))
            && (parts.path.empty() || may_lead_to(place, parts.path))) {
            found.push_back(&place);
        }
    }
    if (!parts.path.empty()) {
        found = without_hidden(found);
    }
    if (found.empty()) {
        return std::nullopt;
    }
    auto written = std::find_if(found.begin(), found.end(),
                                [&](const PricedLocation *place) {
                                    return ledger_of(*place) != nullptr;
                                });
    return written == found.end() ? nullptr : ledger_of(**written);
}

}  // namespace x402
