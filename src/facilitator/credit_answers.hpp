// SPDX-License-Identifier: Apache-2.0
// Reads the answers of a backend of plans and credits (dialect nevermined).
#ifndef X402_FACILITATOR_CREDIT_ANSWERS_HPP
#define X402_FACILITATOR_CREDIT_ANSWERS_HPP

#include <optional>
#include <string>

#include "facilitator/facilitator_port.hpp"
#include "facilitator/settle_answer.hpp"
#include "facilitator/verify_answer.hpp"
#include "policy/plan_terms.hpp"

namespace x402 {

// As read_verify_answer(); but every result that is not valid has a `reason`,
// because these backends explain it in a message, and an unreachable one is a
// 402, too.
VerifyAnswer read_token_verify_answer(const FacilitatorReply &reply);

// The name that verify gave this request; empty: none.
std::string agent_request_of(const std::string &verify_body);

// As read_settle_answer(); a 2xx with `success` counts without further checks,
// and the receipt is the whole answer.
SettleAnswer read_token_settle_answer(const FacilitatorReply &reply,
                                      const SettleExpectation &expected);

// How a plan is paid; nullopt: the answer does not say.
std::optional<PlanKind> read_plan_answer(const FacilitatorReply &reply);

}  // namespace x402

#endif
