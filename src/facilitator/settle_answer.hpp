// SPDX-License-Identifier: Apache-2.0
// The meaning of an answer to POST /settle. Only proof counts: an outcome that
// is neither proven paid nor proven refused is unknown.
#ifndef X402_FACILITATOR_SETTLE_ANSWER_HPP
#define X402_FACILITATOR_SETTLE_ANSWER_HPP

#include <string>
#include <string_view>

#include "facilitator/facilitator_port.hpp"

namespace x402 {

enum class SettleVerdict {
    paid,
    refused,         // this call moved nothing, and says why
    nonce_used,      // refused because the authorization has been used before
    pending,         // broadcast, not confirmed: try once more
    operator_fault,  // 401, 403, 404 or a refused redirect: not processed
    rate_limited,    // 429: not processed
    not_sent,        // no byte left this machine: not processed
    unknown,         // money may have moved
};

// The request, which the answer must match. Lifetime: borrowed for the call.
struct SettleExpectation {
    std::string_view network;  // CAIP-2 of the requirement
    std::string_view payer;  // as verified; with settle `before` the payload's;
                             // empty: the payment does not say
    std::string_view amount;  // requested atomic units
    bool at_most = false;     // scheme upto: less may have been charged
};

struct SettleAnswer {
    SettleVerdict verdict = SettleVerdict::unknown;
    std::string receipt;      // JSON for PAYMENT-RESPONSE; empty unless the
                              // answer is paid, refused or nonce used
    std::string reason;       // errorReason; empty if there is none
    std::string transaction;  // may be empty even if paid
    std::string detail;       // for the log
};

SettleAnswer read_settle_answer(const FacilitatorReply &reply,
                                const SettleExpectation &expected);

}  // namespace x402

#endif
