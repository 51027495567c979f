// SPDX-License-Identifier: Apache-2.0
// One paid operation of an OpenAPI 3.1 document, with `x-payment-info` in the
// shapes of both discovery tools that agents use, and with the input and output
// that bazaar's declaration describes.
#ifndef X402_PROTOCOL_OPENAPI_OPERATION_HPP
#define X402_PROTOCOL_OPENAPI_OPERATION_HPP

#include <string>
#include <string_view>
#include <vector>

#include "base/json_document.hpp"

namespace x402 {

// One way to pay, in the words of `x-payment-info.offers`.
struct ManifestOffer {
    std::string method;    // evm, solana, or another CAIP-2 namespace
    std::string currency;  // asset as in the offer; empty: not known
    std::string amount;    // atomic units; empty: it varies
};

// One paid location.
struct ManifestRoute {
    std::string path;                  // as in OpenAPI: /weather/{city}
    std::vector<std::string> methods;  // listed; never empty; upper case
    std::vector<std::string> charged;  // that must pay; empty: all
    std::string description;
    std::string mime_type;
    std::string url;       // of x402_resource; empty: origin and path
    std::string currency;  // ISO 4217; empty: the price is not in one
    std::string amount;    // decimal; empty: the price varies
    std::string lowest;    // of a price that varies; empty: not known
    std::string highest;
    std::vector<ManifestOffer> offers;
    std::string accepts_json;      // empty: the ways to pay vary
    bool signature_alone = false;  // sign-in-with-x opens it, and no payment
    bool twin = false;             // another route is the one at its path
    JsonValue bazaar;              // the declaration; may not exist
};

// The value of responses.402.
constexpr std::string_view kPaymentRequiredResponse =
    "{\"description\":\"Payment required: the header PAYMENT-REQUIRED has the "
    "offer\"}";

// The same, and `security`, of an operation for which a signature is enough.
constexpr std::string_view kSignInRequiredResponse =
    "{\"description\":\"Signature required: the header PAYMENT-REQUIRED has "
    "the "
    "text to sign (sign-in-with-x), and no price\"}";
constexpr std::string_view kSignInSecurity = "[{\"siwx\":[]}]";

// JSON objects.
std::string payment_info(const ManifestRoute &route);
std::string openapi_operation(const ManifestRoute &route,
                              std::string_view method);

}  // namespace x402

#endif
