// SPDX-License-Identifier: Apache-2.0
// x402 version 2: everything in headers (transport HTTP, v2).
#include "base/base64_codec.hpp"
#include "protocol/dialect.hpp"
#include "protocol/payment_header_names.hpp"
#include "protocol/payment_required.hpp"
#include "protocol/requirements_match.hpp"

namespace x402 {

namespace {

class DialectV2 final : public Dialect {
public:
    std::string_view name() const override { return "v2"; }
    unsigned version() const override { return 2; }
    std::string_view payment_header() const override { return kPaymentHeader; }
    std::string_view offer_header() const override { return kOfferHeader; }
    std::string_view receipt_header() const override { return kReceiptHeader; }
    std::string_view mismatch() const override { return kNoMatch; }

    Result<PaymentPayload> decode(std::string_view header_value,
                                  const PaymentOffer *offered,
                                  const MppServer *) const override
    {
        return decode_payment_header(header_value, 2, offered);
    }

    const PaymentOffer::Option *
    match(const PaymentOffer &offer,
          const PaymentPayload &payload) const override
    {
        for (const PaymentOffer::Option &option : offer.options()) {
            // An option that was repeated byte for byte need not be compared.
            if (&option == payload.echoed
                || matches_requirements(payload.accepted(),
                                        option.requirements)) {
                return &option;
            }
        }
        return nullptr;
    }

    bool carries_extensions() const override { return true; }
    bool can_offer(const PaymentRequirements &) const override { return true; }

    std::string offer_value(const Challenge &challenge) const override
    {
        return base64_encode(payment_required_json(
            challenge.error, challenge.resource, challenge.offer.accepts_json(),
            challenge.extensions_json));
    }

    std::optional<PreparedOffer>
    prepared_offer(const Challenge &challenge) const override
    {
        TextAroundUrl text = payment_required_around_url(
            challenge.error, challenge.resource, challenge.offer.accepts_json(),
            challenge.extensions_json);
        return PreparedOffer(text.before + '"', '"' + text.after);
    }

    // JSON of this version as it stands.
    std::string receipt_value(const std::string &json,
                              std::int64_t) const override
    {
        return base64_encode(json);
    }

    bool offers_in_body() const override { return false; }
    std::string offer_body(const Challenge &) const override { return {}; }
};

}  // namespace

const Dialect &dialect_v2()
{
    static const DialectV2 dialect;
    return dialect;
}

}  // namespace x402
