// SPDX-License-Identifier: Apache-2.0
// In which order a payment is verified, settled and served, and what the end of
// its request comes to.
#ifndef X402_SESSION_PAYMENT_ORDER_HPP
#define X402_SESSION_PAYMENT_ORDER_HPP

#include "session/claim_table.hpp"
#include "session/payment_session.hpp"

namespace x402 {

// Of a payment that is settled before content. Money: a payer with an older
// claim here is verified in any case, a name (payment-identifier) is recorded
// for verified payments alone, and a client has a share of what may be settled
// on a stranger's word.
enum class VerifyNeed {
    none,
    verify,
    verify_for_room,  // only because that share is used up
};
VerifyNeed verify_need(ClaimTable &claims, const ClaimFacts &facts, bool named,
                       std::int64_t now);

// Who says that a payment is good before content is made (x402_verify). Settle
// decides in any case.
enum class VerifyMode {
    remote,   // the facilitator
    local,    // this machine, where it can check the signature
    trusted,  // likewise, of payers whose settlements of the kind succeeded
    off,      // settle alone
};
// Whether content may be made without the facilitator's word, as far as the
// table knows. Money: as verify_need(); and not for a client whose payment was
// refused lately after its content was made for nothing.
bool may_serve_unverified(ClaimTable &claims, const ClaimFacts &facts,
                          bool named, VerifyMode mode, std::int64_t now);

// What follows from "valid". `trusted`: ClaimTable::set_verified() said so, and
// there is room to wait for content.
// verify_failed (busy): what scheme upto costs is not known before content, and
// the maximum that was signed must not be taken.
PaymentEvent verified_event(bool trusted, bool settles_before, bool upto);

// The request ends. Money: what was released and did not leave whole, by the
// fault of this side or of the upstream, is owed; what a client did not wait
// for was delivered to it.
struct RequestEnd {
    bool complete = false;     // all of the answer was made and passed on
    bool client_left = false;  // or does not read any more
};
PaymentEvent end_event(PaymentState state, const RequestEnd &end);

}  // namespace x402

#endif
