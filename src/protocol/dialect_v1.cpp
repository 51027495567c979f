// SPDX-License-Identifier: Apache-2.0
// x402 version 1: the offer in the body, the payment in X-PAYMENT (transport
// HTTP, v1).
#include "base/json_text.hpp"
#include "protocol/dialect.hpp"
#include "protocol/facilitator_messages.hpp"
#include "protocol/payment_header_names.hpp"
#include "protocol/v1_match.hpp"

namespace x402 {

namespace {

class DialectV1 final : public Dialect {
public:
    std::string_view name() const override { return "v1"; }
    unsigned version() const override { return 1; }
    std::string_view payment_header() const override
    {
        return kPaymentHeaderV1;
    }
    std::string_view offer_header() const override { return {}; }
    std::string_view receipt_header() const override
    {
        return kReceiptHeaderV1;
    }
    std::string_view mismatch() const override { return kNoMatchV1; }

    Result<PaymentPayload> decode(std::string_view header_value,
                                  const PaymentOffer *,
                                  const MppServer *) const override
    {
        return decode_payment_header(header_value, 1);
    }

    const PaymentOffer::Option *
    match(const PaymentOffer &offer,
          const PaymentPayload &payload) const override
    {
        return match_v1_payment(*this, offer, payload);
    }

    // A network name that its clients do not know makes them refuse the whole
    // response. They know no other scheme than this.
    bool can_offer(const PaymentRequirements &option) const override
    {
        return !option.v1_network.empty() && option.scheme == "exact";
    }

    std::string offer_value(const Challenge &) const override { return {}; }

    std::string offer_body(const Challenge &challenge) const override
    {
        std::string text = "{\"x402Version\":1";
        append_json_key(text, "error");
        append_json_string(text, challenge.unpaid
                                     ? "X-PAYMENT header is required"
                                     : challenge.error);
        append_json_key(text, "accepts");
        text.push_back('[');
        bool first = true;
        for (const PaymentOffer::Option &option : challenge.offer.options()) {
            if (can_offer(option.requirements)) {
                text.append(first ? "" : ",");
                text.append(requirements_v1_json(option.requirements,
                                                 challenge.resource));
                first = false;
            }
        }
        text.push_back(']');
        if (!challenge.payer.empty()) {
            append_json_key(text, "payer");
            append_json_string(text, challenge.payer);
        }
        text.push_back('}');
        return text;
    }

    std::optional<PreparedText>
    prepared_body(const Challenge &challenge) const override
    {
        return PreparedText::around([&](std::string_view url) {
            ResourceInfo resource = challenge.resource;
            resource.url = url;
            return offer_body(
                {challenge.error, challenge.unpaid, resource, challenge.offer});
        });
    }
};

}  // namespace

const Dialect &dialect_v1()
{
    static const DialectV1 dialect;
    return dialect;
}

}  // namespace x402
