// SPDX-License-Identifier: Apache-2.0
// Bodies of POST /verify and POST /settle (x402 v2 section on facilitators; v1
// has the same shape).
#ifndef X402_PROTOCOL_FACILITATOR_MESSAGES_HPP
#define X402_PROTOCOL_FACILITATOR_MESSAGES_HPP

#include <string>

#include "protocol/payment_offer.hpp"
#include "protocol/payment_payload.hpp"
#include "protocol/resource_info.hpp"

namespace x402 {

// {"x402Version":n,"paymentPayload":...,"paymentRequirements":...}. A payload
// of the version of the request is sent byte for byte as the client sent it.
// From a payload of the other version, the scheme's part is put into a payload
// of this one (both sign the same). The requirement is always the server's own,
// never the client's echo. Version 1 needs requirements.v1_network.
std::string facilitator_request_json(unsigned version,
                                     const PaymentPayload &payload,
                                     const PaymentOffer::Option &option,
                                     const ResourceInfo &resource);

// The scheme's part of a payment in a payload of version 2 for this option.
std::string payload_as_v2(const PaymentPayload &payload,
                          const PaymentOffer::Option &option);

// One payment option in the form of version 1, as its facilitators get it.
std::string requirements_v1_json(const PaymentRequirements &requirements,
                                 const ResourceInfo &resource);

}  // namespace x402

#endif
