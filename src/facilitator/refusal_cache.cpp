// SPDX-License-Identifier: Apache-2.0
#include "facilitator/refusal_cache.hpp"

#include <algorithm>

#include "facilitator/settle_reasons.hpp"

namespace x402 {

void RefusalCache::remember(const Digest &asked, std::string_view reason,
                            std::int64_t now)
{
    if (!is_lasting_reason(reason) || reason.size() > kReasonBytes) {
        return;
    }
    places_.resize(kPlaces);
    Place &place = places_[place_of(asked)];
    place.asked = asked;
    place.since = now;
    place.until = now + kLifetime;
    place.size = static_cast<std::uint8_t>(reason.size());
    std::copy(reason.begin(), reason.end(), place.reason.begin());
    latest_end_ = place.until;
}

std::string_view RefusalCache::find(const Digest &asked, std::int64_t now) const
{
    if (places_.empty()) {
        return {};
    }
    const Place &place = places_[place_of(asked)];
    // If the clock was set back, the entry must not last longer.
    bool fresh = now >= place.since && now < place.until;
    return fresh && place.asked == asked
               ? std::string_view(place.reason.data(), place.size)
               : std::string_view();
}

}  // namespace x402
