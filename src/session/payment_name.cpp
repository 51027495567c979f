// SPDX-License-Identifier: Apache-2.0
#include "session/payment_name.hpp"

namespace x402 {

bool name_is_taken(ClaimTable &claims, PaymentIds &names,
                   const PaymentName &name, const Digest &own, std::int64_t now)
{
    auto holder = names.holder_of(name, now);
    if (!holder || holder->claim == own) {
        return false;
    }
    if (holder->kept) {
        return true;
    }
    ClaimFacts facts;
    facts.key = holder->claim;
    ClaimState state = claims.look_up(facts, now).state;
    if (state != ClaimState::free && state != ClaimState::refused) {
        return true;
    }
    // Refused or given up: an honest client tries again under the same name.
    names.forget(holder->place, holder->claim);
    return false;
}

}  // namespace x402
