// SPDX-License-Identifier: Apache-2.0
#include "base/digest_memo.hpp"

#include <algorithm>
#include <functional>

namespace x402 {

Digest DigestMemo::digest(std::string_view text)
{
    if (text.empty() || text.size() > kLongest) {
        return sha256(text);
    }
    Place &place = places_[std::hash<std::string_view>()(text) % kPlaces];
    if (std::string_view(place.text.data(), place.size) != text) {
        Digest digest = sha256(text);
        std::copy(text.begin(), text.end(), place.text.begin());
        place.size = text.size();
        place.digest = digest;
    }
    return place.digest;
}

Digest remembered_sha256(std::string_view text)
{
    static thread_local DigestMemo memo;
    return memo.digest(text);
}

}  // namespace x402
