// SPDX-License-Identifier: Apache-2.0
// What the claim of a presented payment says about the request that presents
// it.
#ifndef X402_SESSION_CLAIM_ANSWER_HPP
#define X402_SESSION_CLAIM_ANSWER_HPP

#include "session/claim.hpp"

namespace x402 {

// Another request is working on it and will be done soon: worth a short wait
// before answer_of().
bool is_in_flight(const ClaimView &claim);

// Whether the claim has something to answer with, for the request that it was
// taken for; otherwise ClaimPresenter.same_purchase need not be found out.
bool may_be_answered(const ClaimView &claim);

struct ClaimPresenter {
    // The client that the claim was taken for (ClaimView.same_client), and a
    // request that it covers() by an offer of now or one that still counts.
    bool same_purchase = false;
    bool without_body = false;  // GET or HEAD
    bool waited = false;        // for another request with this payment
};

enum class ClaimAnswer {
    none,       // begin as with a new payment
    in_use,     // 409
    unknown,    // 503
    ask_again,  // settle it once more
    deliver,    // content is owed
    used,       // 402
};

// Money: a claim answers only what it was taken for. Everything else learns
// that the payment is used, or that its outcome is unknown.
ClaimAnswer answer_of(const ClaimView &claim, const ClaimPresenter &presenter);

}  // namespace x402

#endif
