// SPDX-License-Identifier: Apache-2.0
// The names of all HTTP headers that carry payments, offers and receipts, in
// every dialect (x402 v2, transports/http.md; x402 v1). Dialects choose among
// them; filters and request handlers compare with the lower-case lists.
#ifndef X402_PROTOCOL_PAYMENT_HEADER_NAMES_HPP
#define X402_PROTOCOL_PAYMENT_HEADER_NAMES_HPP

#include <string_view>

namespace x402 {

// Of requests, in lower case: the payment.
constexpr std::string_view kPaymentHeader = "payment-signature";
constexpr std::string_view kPaymentHeaderV1 = "x-payment";
// Only with the scheme "Payment"; other schemes belong to the backend.
constexpr std::string_view kAuthorizationHeader = "authorization";
// Of requests, in lower case: what a client shows that has paid before.
constexpr std::string_view kPassHeaderLower = "x402-pass";
constexpr std::string_view kSignInHeaderLower = "sign-in-with-x";
// Of responses, as they are sent: the offer, the receipt and a pass.
constexpr std::string_view kPassHeader = "X402-Pass";
constexpr std::string_view kOfferHeader = "PAYMENT-REQUIRED";
constexpr std::string_view kReceiptHeader = "PAYMENT-RESPONSE";
constexpr std::string_view kReceiptHeaderV1 = "X-PAYMENT-RESPONSE";
constexpr std::string_view kReceiptHeaderMpp = "Payment-Receipt";
// The same, to compare with; Nevermined's servers send them like this.
constexpr std::string_view kOfferHeaderLower = "payment-required";
constexpr std::string_view kReceiptHeaderLower = "payment-response";
constexpr std::string_view kReceiptHeaderMppLower = "payment-receipt";
constexpr std::string_view kReceiptHeaderV1Lower = "x-payment-response";
// Of an upstream's response, in lower case: what content of scheme `upto`
// costs (x402 v2, settlement overrides).
constexpr std::string_view kOverridesHeader = "settlement-overrides";

// In lower case: headers that a payment may come in.
constexpr std::string_view kPaymentHeaders[] = {
    kPaymentHeader,
    kPaymentHeaderV1,
};
// In lower case: headers that only the module may send to a client.
constexpr std::string_view kResponseHeaders[] = {
    kOfferHeaderLower,
    kReceiptHeaderLower,
    kReceiptHeaderV1Lower,
    kPassHeaderLower,
};
// In lower case: response headers that a client could send to pass for the
// module or for the upstream further on.
constexpr std::string_view kForgeableHeaders[] = {
    kOfferHeaderLower, kReceiptHeaderLower, kReceiptHeaderV1Lower,
    kPassHeaderLower,  kOverridesHeader,
};

}  // namespace x402

#endif
