// What a settle request asked for, read back from its bytes: for a settlement
// that is asked again, perhaps under another configuration or by another
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
    std::string receipt_network;  // as it was written
    std::string amount;           // atomic units
    std::string asset;
    std::string pay_to;
    bool at_most = false;  // less may be taken than is asked for
};

// `body` as facilitator_request_json() made it, in either version; nullopt when
// it is nothing of the kind.
std::optional<SettleRequest> read_settle_request(std::string_view body);

// Whether `payload` (of a payment under the same claim key) is proof of another
// signature than the one in `body`: some term of what an EVM payer signs is
// another one. The same terms with another signature, or in another spelling,
// prove nothing: whoever has seen a payment can make those.
bool signs_other_terms(std::string_view body, JsonValue payload);

}  // namespace x402

#endif
