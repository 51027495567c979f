// SPDX-License-Identifier: Apache-2.0
// Payments that were refused a moment ago and would be refused again: if one is
// presented again, it is refused without a call.
//
// Fixed memory, each refusal in the one place that its digest selects; a later
// one replaces an earlier one. Pure: the caller supplies the time.
#ifndef X402_FACILITATOR_REFUSAL_CACHE_HPP
#define X402_FACILITATOR_REFUSAL_CACHE_HPP

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/sha256_digest.hpp"

namespace x402 {

class RefusalCache {
public:
    static constexpr std::size_t kPlaces = 1024;
    static constexpr std::size_t kReasonBytes = 64;
    static constexpr std::int64_t kLifetime = 60;  // s

    // Whether find() could find anything, so that a digest is worth computing.
    bool is_empty(std::int64_t now) const { return now >= latest_end_; }

    // `asked`: digest of payment, requirement and facilitator. Keeps only
    // reasons for which is_lasting_reason() is true. `now` in s.
    void remember(const Digest &asked, std::string_view reason,
                  std::int64_t now);

    // The reason; empty: not refused recently. Lifetime: until remember().
    std::string_view find(const Digest &asked, std::int64_t now) const;

private:
    struct Place {
        Digest asked{};
        std::int64_t since = 0;
        std::int64_t until = 0;
        std::uint8_t size = 0;
        std::array<char, kReasonBytes> reason{};
    };

    static std::size_t place_of(const Digest &asked)
    {
        return (asked[0] | std::size_t{asked[1]} << 8) % kPlaces;
    }

    std::vector<Place> places_;  // allocated with the first refusal
    std::int64_t latest_end_ = 0;
};

}  // namespace x402

#endif
