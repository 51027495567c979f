// SPDX-License-Identifier: Apache-2.0
// Extension offer-receipt (x402 v2): payment options and receipts that the
// server signs (JWS), so that either side can prove later what was offered and
// what was paid.
#ifndef X402_PROTOCOL_SIGNED_OFFER_HPP
#define X402_PROTOCOL_SIGNED_OFFER_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/token_signature.hpp"
#include "protocol/payment_offer.hpp"

namespace x402 {

constexpr std::string_view kOfferReceipt = "offer-receipt";

// A key, and the DID URL by which clients find its public part.
struct OfferSigner {
    SigningKey key;
    std::string kid;
    bool tells_transaction = true;  // receipts name it
};

// The extension's JSON for an offer: its options signed for this URL, valid
// until `now` and their maxTimeoutSeconds. If the whole gets long, the last of
// them stay unsigned. nullopt: as SigningKey::sign().
std::optional<std::string> signed_offers(const OfferSigner &signer,
                                         std::string_view url,
                                         const PaymentOffer &offer,
                                         std::int64_t now);

// The signed form of `receipt`, JSON of settlement_receipt.hpp. nullopt: it is
// not that of a success with payer and network, or as above.
std::optional<std::string> sign_receipt(const OfferSigner &signer,
                                        std::string_view receipt,
                                        std::string_view url, std::int64_t now);
// `receipt` with that signed form among its extensions.
std::string with_signed_receipt(const std::string &receipt,
                                std::string_view jws);

}  // namespace x402

#endif
