// SPDX-License-Identifier: Apache-2.0
#include "session/older_claim.hpp"

namespace x402 {

namespace {

constexpr std::int64_t kPatience = 60;  // s, after the first settle

}  // namespace

OlderClaim take_older(ClaimTable &claims, const Purchase &purchase,
                      ClaimRef own, ClaimOwner owner, std::int64_t now)
{
    OlderClaim older;
    if (claims.resume_owed(purchase, owner, now, older.claim)) {
        claims.free(own);
        older.kind = OlderClaim::Kind::owed;
        return older;
    }
    older.claim = claims.find_unknown(purchase, now);
    older.left = older.claim.settle_started + kPatience - now;
    if (older.claim.state != ClaimState::free && older.left > 0) {
        older.kind = older.claim.in_use ? OlderClaim::Kind::in_use
                                        : OlderClaim::Kind::unknown;
    }
    return older;
}

bool take_unknown(ClaimTable &claims, ClaimRef older, ClaimRef own,
                  ClaimOwner owner)
{
    if (!claims.resume(older, owner)) {
        return false;
    }
    claims.free(own);
    return true;
}

}  // namespace x402
