// SPDX-License-Identifier: Apache-2.0
#include "session/claim_room.hpp"

#include <algorithm>

namespace x402 {

namespace {

constexpr std::size_t kMostLooked = 16384;
constexpr std::int64_t kRecent = 60;

}  // namespace

std::size_t claims_needed(const ClaimMemory &memory, std::int64_t now)
{
    std::size_t all = memory.capacity();
    std::size_t looked = std::min(all, kMostLooked);
    double recent = 0;   // claims
    double seconds = 0;  // that they stay, together
    for (std::size_t i = 0; i < looked; i++) {
        const ClaimCell &cell = memory.cell(i);
        if (cell.claim_state() == ClaimState::free
            || cell.changed < now - kRecent) {
            continue;
        }
        recent++;
        if (cell.expires != kNeverExpires) {
            seconds += static_cast<double>(
                std::max<std::int64_t>(cell.expires - now, 0) + kRecent);
        }
    }
    double each = recent > 0 ? seconds / recent : 0;
    double rate = recent * static_cast<double>(all)
                  / static_cast<double>(looked) / kRecent;
    double needed = rate * each * 4 / 3;
    double most = static_cast<double>(all) * 64;
    return std::max(all * 2, static_cast<std::size_t>(std::min(needed, most)));
}

}  // namespace x402
