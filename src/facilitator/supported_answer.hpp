// SPDX-License-Identifier: Apache-2.0
// The meaning of an answer to GET /supported, and the time of the next request.
#ifndef X402_FACILITATOR_SUPPORTED_ANSWER_HPP
#define X402_FACILITATOR_SUPPORTED_ANSWER_HPP

#include <cstdint>
#include <optional>
#include <string>

#include "facilitator/facilitator_port.hpp"
#include "facilitator/supported_kinds.hpp"

namespace x402 {

constexpr std::uint32_t kMaxSupportedLifetime = 3600;  // s
constexpr std::uint32_t kMaxSupportedRetry = 30;       // s

struct SupportedAnswer {
    std::optional<SupportedKinds> kinds;  // nullopt: the answer is not usable
    // s, how long it is valid: `max-age` of Cache-Control, from 1 s to an hour;
    // 10 minutes without one, and for answers that may not be cached (hosts
    // send those for browsers).
    std::uint32_t lifetime = 0;
    std::string detail;  // for the log: why it is not usable
};

SupportedAnswer read_supported_answer(const FacilitatorReply &reply);

// s until the next try after `failures` in a row (at least 1): 1, 2, 4 and so
// on to 30, or the Retry-After of a 429 or 503 (s, 0: none).
std::uint32_t supported_retry(unsigned failures, std::uint32_t retry_after);

}  // namespace x402

#endif
