#include "nginx/store/ngx_http_x402_claim_change.hpp"

namespace x402 {

void apply_claim_change(ngx_shm_zone_t *zone, ClaimRef claim,
                        ClaimChange change)
{
    if (!claim) {
        return;
    }
    switch (change) {
    case ClaimChange::free:
        LockedClaims(zone)->free(claim);
        break;
    case ClaimChange::abandoned:
        LockedClaims(zone)->abandon(claim, ngx_time());
        break;
    case ClaimChange::delivered:
        LockedClaims(zone)->set_delivered(claim, ngx_time());
        break;
    case ClaimChange::owed:
        LockedClaims(zone)->set_owed(claim);
        break;
    case ClaimChange::refused:
        LockedClaims(zone)->set_refused(claim, ngx_time());
        break;
    case ClaimChange::unknown:
        LockedClaims(zone)->set_unknown(claim, ngx_time());
        break;
    case ClaimChange::keep:
    case ClaimChange::verified:
    case ClaimChange::settling:
    case ClaimChange::paid:
        break;
    }
}

}  // namespace x402
