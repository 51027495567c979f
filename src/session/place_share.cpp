// SPDX-License-Identifier: Apache-2.0
#include "session/place_share.hpp"

#include <algorithm>

namespace x402 {

bool PlaceShare::enter(const Digest &holder, std::size_t most)
{
    auto found = held_.find(holder);
    if (found == held_.end()) {
        held_.emplace(holder, 1);
        return true;
    }
    if (found->second >= std::max<std::size_t>(most, 1)) {
        return false;
    }
    found->second++;
    return true;
}

void PlaceShare::leave(const Digest &holder) noexcept
{
    auto found = held_.find(holder);
    if (found != held_.end() && --found->second == 0) {
        held_.erase(found);
    }
}

}  // namespace x402
