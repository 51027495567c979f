// Bodies of POST /verify and POST /settle (x402 v2 section on facilitators).
#ifndef X402_PROTOCOL_FACILITATOR_MESSAGES_HPP
#define X402_PROTOCOL_FACILITATOR_MESSAGES_HPP

#include <string>
#include <string_view>

namespace x402 {

// {"x402Version":2,"paymentPayload":<text>,"paymentRequirements":<text>}; both
// are finished JSON texts and are taken over byte for byte. The requirement is
// always the server's own, never the client's echo.
std::string facilitator_request_json(std::string_view payment_payload,
                                     std::string_view payment_requirements);

}  // namespace x402

#endif
