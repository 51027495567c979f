// SPDX-License-Identifier: Apache-2.0
#include "session/claim_binding.hpp"

namespace x402 {

bool covers(const ClaimBinding &bought, const ClaimBinding &wanted)
{
    return bought.resource == wanted.resource && bought.terms == wanted.terms
           && bought.asked >= wanted.asked;
}

bool pays_for(const ClaimBinding &bought, const AmountBytes &cost)
{
    return bought.paid >= cost;
}

}  // namespace x402
