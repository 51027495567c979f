// SPDX-License-Identifier: Apache-2.0
#include "session/claim_change.hpp"

namespace x402 {

void apply_claim_change(ClaimTable &claims, ClaimRef claim, ClaimChange change,
                        std::int64_t now)
{
    switch (change) {
    case ClaimChange::free:
        claims.free(claim);
        break;
    case ClaimChange::abandoned:
        claims.abandon(claim, now);
        break;
    case ClaimChange::delivered:
        claims.set_delivered(claim, now);
        break;
    case ClaimChange::owed:
        claims.set_owed(claim);
        break;
    case ClaimChange::refused:
        claims.set_refused(claim, now);
        break;
    case ClaimChange::unknown:
        claims.set_unknown(claim, now);
        break;
    case ClaimChange::keep:
    case ClaimChange::verified:
    case ClaimChange::settling:
    case ClaimChange::paid:
        break;
    }
}

}  // namespace x402
