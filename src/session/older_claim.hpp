// SPDX-License-Identifier: Apache-2.0
// What a payer with a new, verified payment has bought before: content that is
// owed to it, or a payment whose outcome is unknown, goes first.
#ifndef X402_SESSION_OLDER_CLAIM_HPP
#define X402_SESSION_OLDER_CLAIM_HPP

#include "session/claim_table.hpp"

namespace x402 {

struct OlderClaim {
    enum class Kind {
        none,     // a new purchase
        owed,     // in the caller's hands; the claim of the new payment is free
        unknown,  // to be asked about first: take_unknown()
        in_use,   // another request is asking about it
    };
    Kind kind = Kind::none;
    ClaimView claim;
    // For how long it keeps the payer from buying again, s.
    std::int64_t left = 0;
};

// `own` is the claim of the new payment. An outcome that is still unknown a
// minute after the first settle does not keep a payer from buying again.
OlderClaim take_older(ClaimTable &claims, const Purchase &purchase,
                      ClaimRef own, ClaimOwner owner, std::int64_t now);

// The unknown claim is in the caller's hands then, and its own is free. False:
// another request was faster, nothing is changed.
bool take_unknown(ClaimTable &claims, ClaimRef older, ClaimRef own,
                  ClaimOwner owner);

}  // namespace x402

#endif
