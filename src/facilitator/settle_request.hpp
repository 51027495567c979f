// SPDX-License-Identifier: Apache-2.0
// The content of a settle request, read back from its bytes: for a settlement
// that is repeated, possibly under another configuration or by another
// worker.
#ifndef X402_FACILITATOR_SETTLE_REQUEST_HPP
#define X402_FACILITATOR_SETTLE_REQUEST_HPP

#include <optional>
#include <string>
#include <string_view>

#include "base/json_document.hpp"

namespace x402 {

struct SettleRequest {
    std::string network;          // CAIP-2
    std::string receipt_network;  // as written
    std::string amount;           // atomic units
    std::string asset;
    std::string pay_to;
    std::string scheme;
    std::string resource;  // URL
    unsigned version = 0;  // of x402; 0: not said
    bool at_most = false;  // less may be taken than requested
};

// `body` as written by facilitator_request_json(), in either version; nullopt:
// it is something else.
std::optional<SettleRequest> read_settle_request(std::string_view body);

// Whether `payload` (of a payment under the same claim key) is proof of another
// signature than the one in `body`: one of the terms that an EVM payer signs
// differs. The same terms with another signature, or in another spelling, prove
// nothing: anyone that has seen a payment can make those.
bool signs_other_terms(std::string_view body, JsonValue payload);

}  // namespace x402

#endif
