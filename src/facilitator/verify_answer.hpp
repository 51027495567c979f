// SPDX-License-Identifier: Apache-2.0
// The meaning of an answer to POST /verify.
#ifndef X402_FACILITATOR_VERIFY_ANSWER_HPP
#define X402_FACILITATOR_VERIFY_ANSWER_HPP

#include <string>

#include "facilitator/facilitator_port.hpp"

namespace x402 {

enum class VerifyVerdict {
    valid,
    invalid,         // the payment is at fault: 402 with `reason`
    broken,          // the facilitator is at fault: 502
    timed_out,       // 504
    rate_limited,    // 503 with Retry-After
    operator_fault,  // 401, 403, 404, a refused redirect: 502, log crit
};

struct VerifyAnswer {
    VerifyVerdict verdict = VerifyVerdict::broken;
    std::string reason;  // `error` of the 402; may be empty: none was given
    std::string payer;  // valid, invalid: as the facilitator says; may be empty
    std::string detail;  // for the log
};

// `isValid` counts in 2xx and 4xx, `true` only in 2xx; a 5xx is always
// broken.
VerifyAnswer read_verify_answer(const FacilitatorReply &reply);

}  // namespace x402

#endif
