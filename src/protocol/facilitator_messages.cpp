#include "protocol/facilitator_messages.hpp"

namespace x402 {

std::string facilitator_request_json(std::string_view payment_payload,
                                     std::string_view payment_requirements)
{
    constexpr std::string_view kOpen = "{\"x402Version\":2,\"paymentPayload\":";
    constexpr std::string_view kMiddle = ",\"paymentRequirements\":";

    std::string body;
    body.reserve(kOpen.size() + payment_payload.size() + kMiddle.size()
                 + payment_requirements.size() + 1);
    body.append(kOpen);
    body.append(payment_payload);
    body.append(kMiddle);
    body.append(payment_requirements);
    body.push_back('}');
    return body;
}

}  // namespace x402
