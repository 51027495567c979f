#include "facilitator/settle_request.hpp"

#include "base/json_document.hpp"
#include "policy/network_table.hpp"

namespace x402 {

std::optional<SettleRequest> read_settle_request(std::string_view body)
{
    // The client's payload was within the limits; the request wraps it and our
    // requirement once more.
    JsonLimits limits;
    limits.bytes = body.size();
    limits.depth += 2;
    limits.keys *= 2;
    limits.values *= 2;
    auto document = JsonDocument::parse(std::string(body), limits);
    if (!document) {
        return std::nullopt;
    }
    JsonValue asked = document->root()["paymentRequirements"];
    if (!asked["network"].is_string()) {
        return std::nullopt;
    }
    const char *amount =
        asked["amount"].exists() ? "amount" : "maxAmountRequired";
    SettleRequest request;
    request.receipt_network = std::string(asked["network"].string());
    request.network = canonical_network(request.receipt_network);
    request.amount = std::string(asked[amount].string());
    request.asset = std::string(asked["asset"].string());
    request.at_most = asked["scheme"].string() == "upto";
    request.pay_to = std::string(asked["payTo"].string());
    return request;
}

}  // namespace x402
